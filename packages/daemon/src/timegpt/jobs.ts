/** Work that a client asks for now and comes back for: kept in memory, results for an hour. */
import { randomUUID } from 'node:crypto';
import { TollamaError, toTollamaError } from '@tollama/core/errors';
import { toldIn } from '../http/dialects.ts';

export type JobStatus = 'pending' | 'running' | 'succeeded' | 'failed' | 'cancelled';

export interface JobState {
  readonly job_id: string;
  readonly status: JobStatus;
  readonly result: unknown;
  readonly error: unknown;
}

export type Work = (signal: AbortSignal) => Promise<unknown>;

export interface JobOrder {
  /** The caller's key: nobody else sees the job. */
  readonly keyId: string;
  readonly task: string;
  readonly timeoutMs: number | undefined;
  readonly work: Work;
}

interface Entry {
  readonly order: JobOrder;
  readonly abort: AbortController;
  state: JobState;
}

export interface JobsOptions {
  /** Jobs at work at the same time. */
  readonly parallel?: number;
  /** Waiting jobs; one more is refused with 429, which clients repeat. */
  readonly waiting?: number;
  readonly keepMs?: number;
}

const HOUR_MS = 3_600_000;

const isOver = ({ status }: JobState): boolean => status !== 'pending' && status !== 'running';

export class Jobs implements Disposable {
  readonly #entries = new Map<string, Entry>();
  readonly #queue: Entry[] = [];
  readonly #parallel: number;
  readonly #waiting: number;
  readonly #keepMs: number;
  #working = 0;

  constructor({ parallel = 4, waiting = 1000, keepMs = HOUR_MS }: JobsOptions = {}) {
    this.#parallel = parallel;
    this.#waiting = waiting;
    this.#keepMs = keepMs;
  }

  /** Takes the job and returns at once. @throws TollamaError RATE_LIMITED when too many wait */
  submit(order: JobOrder): JobState {
    if (this.#working >= this.#parallel && this.#queue.length >= this.#waiting) {
      throw new TollamaError('RATE_LIMITED', `${this.#queue.length} jobs wait already`);
    }
    const job_id = randomUUID();
    const state: JobState = { job_id, status: 'pending', result: null, error: null };
    const entry: Entry = { order, abort: new AbortController(), state };
    this.#entries.set(job_id, entry);
    this.#queue.push(entry);
    this.#next();
    return state;
  }

  /** @throws TollamaError NOT_FOUND also for the jobs of others and of other tasks */
  get(id: string, keyId: string, task?: string): JobState {
    return this.#find(id, keyId, task).state;
  }

  /** @throws TollamaError NOT_FOUND; MODEL_EXISTS never: a job that is over is told by the result */
  cancel(id: string, keyId: string): { readonly isOver: boolean } {
    const entry = this.#find(id, keyId);
    if (isOver(entry.state)) return { isOver: true };
    this.#end(entry, { status: 'cancelled' });
    entry.abort.abort(new TollamaError('INTERRUPTED', 'the job was cancelled'));
    return { isOver: false };
  }

  #find(id: string, keyId: string, task?: string): Entry {
    const entry = this.#entries.get(id);
    const isTheirs = entry?.order.keyId === keyId;
    if (!entry || !isTheirs || (task !== undefined && entry.order.task !== task)) {
      throw new TollamaError('NOT_FOUND', `job '${id}' is not known`, {
        hint: 'results are kept for an hour',
      });
    }
    return entry;
  }

  #next(): void {
    while (this.#working < this.#parallel && this.#queue.length > 0) {
      const entry = this.#queue.shift()!;
      if (isOver(entry.state)) continue;
      this.#working++;
      void this.#run(entry).finally(() => {
        this.#working--;
        this.#next();
      });
    }
  }

  async #run(entry: Entry): Promise<void> {
    const { order, abort } = entry;
    entry.state = { ...entry.state, status: 'running' };
    const timer =
      order.timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            const message = `the job took longer than ${order.timeoutMs! / 1000} s`;
            abort.abort(new TollamaError('TIMEOUT', message));
          }, order.timeoutMs);
    try {
      this.#end(entry, { status: 'succeeded', result: await order.work(abort.signal) });
    } catch (thrown) {
      const cause = abort.signal.aborted ? abort.signal.reason : thrown;
      const told = toldIn('timegpt', toTollamaError(cause))!;
      this.#end(entry, {
        status: 'failed',
        error: { status_code: told.status, ...(told.body as object) },
      });
    } finally {
      clearTimeout(timer);
    }
  }

  #end(entry: Entry, outcome: Partial<JobState>): void {
    if (isOver(entry.state)) return;
    entry.state = { ...entry.state, ...outcome };
    const { job_id } = entry.state;
    setTimeout(() => this.#entries.delete(job_id), this.#keepMs).unref();
  }

  [Symbol.dispose](): void {
    for (const entry of this.#entries.values()) {
      if (!isOver(entry.state)) this.cancel(entry.state.job_id, entry.order.keyId);
    }
  }
}
