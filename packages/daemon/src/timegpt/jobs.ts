/**
 * Work that a client asks for now and comes back for. Jobs are in a queue that outlives the daemon: one that was cut
 * off runs again, by this daemon or another on the same queue.
 */
import { randomUUID } from 'node:crypto';
import { ERRORS, type ErrorCode, errorMessage, TollamaError } from '@tollama/core/errors';
import type { JobFailure, JobRecord, JobState as QueueState } from '@tollama/queue';
import type { Activity } from '../activity.ts';
import { toldIn } from '../http/dialects.ts';
import type { Logger } from '../log.ts';
import type { JobKeeping, JobPlace } from './job-keeping.ts';
import { JobPayload, type RunJob, workOn } from './job-work.ts';

export type JobStatus = 'pending' | 'running' | 'succeeded' | 'failed' | 'cancelled';

export interface JobState {
  readonly job_id: string;
  readonly status: JobStatus;
  readonly result: unknown;
  readonly error: unknown;
}

export interface JobOrder {
  /** The caller's key: nobody else sees the job. */
  readonly keyId: string;
  readonly task: string;
  readonly timeoutMs: number | undefined;
  /** The decoded body, as it was sent. */
  readonly body: Uint8Array;
}

export interface JobsOptions {
  readonly place: JobPlace;
  readonly log: Pick<Logger, 'warn'>;
  /** A daemon whose jobs run is not idle. */
  readonly activity: Activity;
  /** Jobs at work at the same time. */
  readonly parallel?: number;
  /** Waiting jobs; one more is refused with 429, which clients repeat. */
  readonly waiting?: number;
}

const STATUS: Readonly<Record<QueueState, JobStatus>> = {
  waiting: 'pending',
  active: 'running',
  finished: 'succeeded',
  failed: 'failed',
  cancelled: 'cancelled',
};

const POLL_MS = 1000;

const unknownJob = (id: string): TollamaError =>
  new TollamaError('NOT_FOUND', `job '${id}' is not known`, {
    hint: 'results are kept for a day',
  });

const toldError = ({ code, message, hint }: JobFailure): object => {
  const known: ErrorCode = code in ERRORS ? (code as ErrorCode) : 'INTERNAL';
  const told = toldIn('timegpt', new TollamaError(known, message, hint ? { hint } : {}))!;
  return { status_code: told.status, ...(told.body as object) };
};

export class Jobs implements AsyncDisposable {
  readonly #options: JobsOptions;
  readonly #parallel: number;
  readonly #waiting: number;
  /** What runs here, by job. */
  readonly #working = new Map<string, { readonly abort: AbortController; done: Promise<void> }>();
  #run: RunJob | undefined;
  #keeping: Promise<JobKeeping> | undefined;
  #taking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosing = false;

  constructor(options: JobsOptions) {
    this.#options = options;
    this.#parallel = options.parallel ?? 4;
    this.#waiting = options.waiting ?? 1000;
  }

  /** Says who runs the jobs; none is taken before. */
  runBy(run: RunJob): void {
    this.#run = run;
  }

  /** Takes up what an earlier daemon left; opens nothing where there never was a job. */
  async resume(): Promise<void> {
    if (await this.#options.place.hasJobs()) await this.#open().then(() => this.#take());
  }

  /** Keeps the job and returns. @throws TollamaError RATE_LIMITED when too many wait */
  async submit({ keyId, task, timeoutMs, body }: JobOrder): Promise<JobState> {
    const { queue, contents } = await this.#open();
    const { waiting, active } = await queue.counts();
    if (waiting + active >= this.#parallel + this.#waiting) {
      throw new TollamaError('RATE_LIMITED', `${waiting} jobs wait already`);
    }
    const job_id = randomUUID();
    const kept = await contents.put(body);
    const payload: JobPayload = { keyId, task, timeoutMs: timeoutMs ?? null, body: kept };
    await queue.enqueue({ id: job_id, payload, attempts: 1 });
    void this.#take();
    return { job_id, status: 'pending', result: null, error: null };
  }

  /** @throws TollamaError NOT_FOUND also for the jobs of others and of other tasks */
  async get(id: string, keyId: string, task?: string): Promise<JobState> {
    const { state, result, failure } = await this.#find(id, keyId, task);
    return {
      job_id: id,
      status: STATUS[state],
      result: state === 'finished' ? await this.#content(id, result) : null,
      error: state === 'failed' && failure ? toldError(failure) : null,
    };
  }

  /** @throws TollamaError NOT_FOUND; a job that is over is told by the result */
  async cancel(id: string, keyId: string): Promise<{ readonly isOver: boolean }> {
    await this.#find(id, keyId);
    const isCancelled = await (await this.#open()).queue.cancel(id);
    if (!isCancelled) return { isOver: true };
    this.#working.get(id)?.abort.abort(new TollamaError('INTERRUPTED', 'the job was cancelled'));
    return { isOver: false };
  }

  async #find(id: string, keyId: string, task?: string): Promise<JobRecord> {
    const mayExist = this.#keeping !== undefined || (await this.#options.place.hasJobs());
    const record = mayExist ? await (await this.#open()).queue.result(id) : undefined;
    const { data } = JobPayload.safeParse(record?.payload);
    const isTheirs = data?.keyId === keyId && (task === undefined || data.task === task);
    if (!record || !isTheirs) throw unknownJob(id);
    return record;
  }

  async #content(id: string, result: unknown): Promise<unknown> {
    const { contents } = await this.#open();
    const bytes = await contents.get((result as { readonly content: string }).content);
    if (!bytes) throw unknownJob(id);
    return JSON.parse(Buffer.from(bytes).toString());
  }

  #open(): Promise<JobKeeping> {
    if (this.#isClosing) throw new TollamaError('INTERRUPTED', 'the daemon is stopping');
    this.#keeping ??= this.#options.place.open().catch((error: unknown) => {
      this.#keeping = undefined;
      throw error;
    });
    return this.#keeping;
  }

  /** Takes jobs until all places are full; one round at a time. */
  async #take(): Promise<void> {
    await this.#taking;
    this.#taking ??= this.#takeAll()
      .catch((error: unknown) => {
        this.#options.log.warn({ error: errorMessage(error) }, 'no job could be taken');
        this.#takeLater();
      })
      .finally(() => {
        this.#taking = undefined;
      });
    await this.#taking;
  }

  async #takeAll(): Promise<void> {
    const run = this.#run;
    if (!run || this.#isClosing) return;
    const keeping = await this.#open();
    while (this.#working.size < this.#parallel && !this.#isClosing) {
      const lease = await keeping.queue.lease();
      if (!lease) break;
      const abort = new AbortController();
      this.#options.activity.begin();
      const done = workOn(keeping, lease, { run, abort, isClosing: () => this.#isClosing })
        .catch((error: unknown) =>
          this.#options.log.warn({ error: errorMessage(error) }, `job ${lease.id} is not ended`),
        )
        .finally(() => {
          this.#options.activity.end();
          this.#working.delete(lease.id);
          void this.#take();
        });
      this.#working.set(lease.id, { abort, done });
    }
    await this.#askAgain(keeping);
  }

  /** A shared queue gets jobs from others, and a journal those whose holder is gone. */
  async #askAgain({ queue }: JobKeeping): Promise<void> {
    const { waiting, active } = await queue.counts();
    if (queue.kind === 'redis' || waiting + active > this.#working.size) this.#takeLater();
  }

  #takeLater(): void {
    clearTimeout(this.#timer);
    if (!this.#isClosing) this.#timer = setTimeout(() => void this.#take(), POLL_MS).unref();
  }

  /** What is at work is left as it is, to be run again. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true;
    clearTimeout(this.#timer);
    const reason = new TollamaError('INTERRUPTED', 'the daemon is stopping');
    for (const { abort } of this.#working.values()) abort.abort(reason);
    await this.#taking;
    await Promise.all([...this.#working.values()].map(({ done }) => done));
    const keeping = await this.#keeping?.catch(() => undefined);
    await keeping?.[Symbol.asyncDispose]();
  }
}
