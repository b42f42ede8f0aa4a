/**
 * A queue in one file. Every process of this machine that opens the file takes part; each step is one transaction
 * of SQLite, so a process that is killed at any point leaves a queue that goes on.
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { checkJobId } from '../job-id.ts';
import {
  DEFAULT_ATTEMPTS,
  DEFAULT_KEEP_MS,
  DEFAULT_LEASE_MS,
  DEFAULT_LOSSES,
  JOB_STATES,
  type JobFailure,
  type JobQueue,
  type JobRecord,
  type JobRequest,
  type JobState,
  type Json,
  type Lease,
  type QueueOptions,
  type Standing,
  workerLost,
} from '../job-queue.ts';
import { isHolderGone, newToken } from './holder.ts';
import { type JobRow, SCHEMA } from './schema.ts';
import { loadSqlite } from './sqlite.ts';

export interface JournalOptions extends QueueOptions {
  readonly now?: () => number;
}

const FORGETS_PER_KEEP = 20;

const toRecord = (row: JobRow): JobRecord => ({
  id: row.id,
  state: row.state as JobState,
  payload: JSON.parse(row.payload) as Json,
  progress: JSON.parse(row.progress) as Json,
  result: JSON.parse(row.result) as Json,
  failure: JSON.parse(row.failure) as JobFailure | null,
});

class JournalQueue implements JobQueue {
  readonly kind = 'journal';
  readonly #db: DatabaseSync;
  readonly #name: string;
  readonly #leaseMs: number;
  readonly #mostLosses: number;
  readonly #keepMs: number;
  readonly #now: () => number;
  #forgotAt = Number.NEGATIVE_INFINITY;

  constructor(db: DatabaseSync, options: JournalOptions) {
    this.#db = db;
    this.#name = options.name;
    this.#leaseMs = options.leaseMs ?? DEFAULT_LEASE_MS;
    this.#mostLosses = options.mostLosses ?? DEFAULT_LOSSES;
    this.#keepMs = options.keepMs ?? DEFAULT_KEEP_MS;
    this.#now = options.now ?? Date.now;
    db.exec(SCHEMA);
    this.#forgetOld();
  }

  /** Also while the journal stays open, but not at every job. */
  #forgetOld(): void {
    const now = this.#now();
    if (now - this.#forgotAt < this.#keepMs / FORGETS_PER_KEEP) return;
    this.#forgotAt = now;
    this.#db
      .prepare('DELETE FROM job WHERE queue = ? AND ended_at < ?')
      .run(this.#name, now - this.#keepMs);
  }

  #transaction<T>(work: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const value = work();
      this.#db.exec('COMMIT');
      return value;
    } catch (error) {
      this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  #find(id: string): JobRow | undefined {
    return this.#db
      .prepare('SELECT * FROM job WHERE queue = ? AND id = ?')
      .get(this.#name, id) as unknown as JobRow | undefined;
  }

  async enqueue({ id, payload, attempts = DEFAULT_ATTEMPTS }: JobRequest): Promise<JobState> {
    checkJobId(id);
    this.#forgetOld();
    this.#db
      .prepare(
        `INSERT INTO job (queue, id, state, payload, attempts) VALUES (?, ?, 'waiting', ?, ?)
         ON CONFLICT DO NOTHING`,
      )
      .run(this.#name, id, JSON.stringify(payload), attempts);
    return this.#find(id)!.state as JobState;
  }

  async lease(): Promise<Lease | undefined> {
    return this.#transaction(() => {
      this.#takeBackLost();
      const row = this.#db
        .prepare("SELECT * FROM job WHERE queue = ? AND state = 'waiting' ORDER BY place LIMIT 1")
        .get(this.#name) as unknown as JobRow | undefined;
      if (!row) return undefined;
      const token = newToken();
      this.#db
        .prepare("UPDATE job SET state = 'active', token = ?, lease_until = ? WHERE place = ?")
        .run(token, this.#now() + this.#leaseMs, row.place);
      return { id: row.id, payload: JSON.parse(row.payload) as Json, token };
    });
  }

  /** Jobs whose holder is gone wait again, or have failed when that happened too often. */
  #takeBackLost(): void {
    const now = this.#now();
    const active = this.#db
      .prepare("SELECT token FROM job WHERE queue = ? AND state = 'active'")
      .all(this.#name) as unknown as { readonly token: string }[];
    const end = this.#db.prepare('UPDATE job SET lease_until = ? WHERE queue = ? AND token = ?');
    for (const { token } of active) if (isHolderGone(token)) end.run(now, this.#name, token);
    this.#db
      .prepare(
        `UPDATE job SET losses = losses + 1, token = NULL,
           state = iif(losses + 1 > :most, 'failed', 'waiting'),
           failure = iif(losses + 1 > :most, :lost, failure),
           ended_at = iif(losses + 1 > :most, :now, NULL)
         WHERE queue = :queue AND state = 'active' AND lease_until <= :now`,
      )
      .run({
        most: this.#mostLosses,
        lost: JSON.stringify(workerLost()),
        now,
        queue: this.#name,
      });
  }

  async progress({ id, token }: Lease, progress?: Json): Promise<Standing> {
    const { changes } = this.#db
      .prepare(
        `UPDATE job SET lease_until = ?, progress = coalesce(?, progress)
         WHERE queue = ? AND id = ? AND token = ? AND state = 'active'`,
      )
      .run(
        this.#now() + this.#leaseMs,
        progress === undefined ? null : JSON.stringify(progress),
        this.#name,
        id,
        token,
      );
    if (changes === 1) return 'held';
    return this.#find(id)?.state === 'cancelled' ? 'cancelled' : 'lost';
  }

  async finish({ id, token }: Lease, result: Json): Promise<boolean> {
    const { changes } = this.#db
      .prepare(
        `UPDATE job SET state = 'finished', result = ?, failure = 'null', token = NULL, ended_at = ?
         WHERE queue = ? AND id = ? AND token = ? AND state = 'active'`,
      )
      .run(JSON.stringify(result), this.#now(), this.#name, id, token);
    return changes === 1;
  }

  async fail({ id, token }: Lease, failure: JobFailure, isFinal = false): Promise<boolean> {
    const { changes } = this.#db
      .prepare(
        `UPDATE job SET failures = failures + 1, failure = :failure, token = NULL,
           state = iif(:final OR failures + 1 >= attempts, 'failed', 'waiting'),
           ended_at = iif(:final OR failures + 1 >= attempts, :now, NULL)
         WHERE queue = :queue AND id = :id AND token = :token AND state = 'active'`,
      )
      .run({
        failure: JSON.stringify(failure),
        final: isFinal ? 1 : 0,
        now: this.#now(),
        queue: this.#name,
        id,
        token,
      });
    return changes === 1;
  }

  async result(id: string): Promise<JobRecord | undefined> {
    const row = this.#find(id);
    return row && toRecord(row);
  }

  async cancel(id: string): Promise<boolean> {
    const { changes } = this.#db
      .prepare(
        `UPDATE job SET state = 'cancelled', token = NULL, ended_at = ?
         WHERE queue = ? AND id = ? AND state IN ('waiting', 'active')`,
      )
      .run(this.#now(), this.#name, id);
    return changes === 1;
  }

  async retry(id: string): Promise<boolean> {
    const { changes } = this.#db
      .prepare(
        `UPDATE job SET state = 'waiting', failures = 0, losses = 0, ended_at = NULL
         WHERE queue = ? AND id = ? AND state IN ('failed', 'cancelled')`,
      )
      .run(this.#name, id);
    return changes === 1;
  }

  async remove(id: string): Promise<void> {
    this.#db.prepare('DELETE FROM job WHERE queue = ? AND id = ?').run(this.#name, id);
  }

  async counts(): Promise<Readonly<Record<JobState, number>>> {
    const rows = this.#db
      .prepare('SELECT state, count(*) AS count FROM job WHERE queue = ? GROUP BY state')
      .all(this.#name);
    const counted = Object.fromEntries(rows.map(({ state, count }) => [state, count]));
    return Object.fromEntries(
      JOB_STATES.map((state) => [state, Number(counted[state] ?? 0)]),
    ) as Record<JobState, number>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#db.isOpen) this.#db.close();
  }
}

/**
 * Opens the journal in a file, which is made when it is not there.
 *
 * @throws TollamaError CONFIG_INVALID when the file cannot be opened as a journal
 */
export const openJournalQueue = async (
  path: string,
  options: JournalOptions,
): Promise<JobQueue> => {
  const { DatabaseSync } = await loadSqlite(', or a queue at redis://host:port');
  try {
    mkdirSync(dirname(path), { recursive: true });
    return new JournalQueue(new DatabaseSync(path, { timeout: 20_000 }), options);
  } catch (cause) {
    throw new TollamaError(
      'CONFIG_INVALID',
      `the journal ${path} cannot be opened: ${errorMessage(cause)}`,
      { hint: 'check that the folder can be written and that the file is a journal', cause },
    );
  }
};
