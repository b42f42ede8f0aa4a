/**
 * A queue on Redis or Valkey that any number of machines share. BullMQ keeps the jobs, their leases (its locks) and
 * the search for lost holders (its stalled jobs); what it has no word for is cancelling, which is a hash beside it.
 */
import { randomUUID } from 'node:crypto';
import type { Job, Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { checkJobId } from '../job-id.ts';
import {
  DEFAULT_ATTEMPTS,
  DEFAULT_KEEP_MS,
  DEFAULT_LEASE_MS,
  DEFAULT_LOSSES,
  type JobFailure,
  type JobQueue,
  type JobRecord,
  type JobRequest,
  type JobState,
  type Json,
  type Lease,
  type QueueOptions,
  type Standing,
} from '../job-queue.ts';
import { CancelledJobs } from './cancelled-jobs.ts';
import { connectRedis, loadRedisPackages } from './connection.ts';
import { failureOf, isLostLease, stateOf } from './job-facts.ts';

interface Parts {
  readonly redis: Redis;
  readonly queue: Queue;
  readonly worker: Worker;
  /** BullMQ's error for a job that must not be tried again. */
  readonly Final: new (
    message: string,
  ) => Error;
}

class RedisQueue implements JobQueue {
  readonly kind = 'redis';
  readonly #parts: Parts;
  readonly #leaseMs: number;
  readonly #keepSeconds: number;
  readonly #cancelled: CancelledJobs;
  /** Jobs that are held here, by their tokens. */
  readonly #held = new Map<string, Job>();

  constructor(parts: Parts, options: QueueOptions) {
    this.#parts = parts;
    this.#leaseMs = options.leaseMs ?? DEFAULT_LEASE_MS;
    const { name, keepMs = DEFAULT_KEEP_MS } = options;
    this.#keepSeconds = Math.ceil(keepMs / 1000);
    this.#cancelled = new CancelledJobs(parts.redis, name, keepMs);
  }

  async #job(id: string): Promise<Job | undefined> {
    return (await this.#parts.queue.getJob(id)) as Job | undefined;
  }

  async #isCancelled(id: string): Promise<boolean> {
    return (await this.#cancelled.get(id)) !== undefined;
  }

  async #state(job: Job): Promise<JobState> {
    return (await this.#isCancelled(job.id!)) ? 'cancelled' : stateOf(await job.getState());
  }

  async enqueue({ id, payload, attempts = DEFAULT_ATTEMPTS }: JobRequest): Promise<JobState> {
    checkJobId(id);
    if (await this.#isCancelled(id)) return 'cancelled';
    const keep = { age: this.#keepSeconds };
    const job = await this.#parts.queue.add('job', payload, {
      jobId: id,
      attempts,
      removeOnComplete: keep,
      removeOnFail: keep,
    });
    return this.#state(job);
  }

  async lease(): Promise<Lease | undefined> {
    for (;;) {
      const token = randomUUID();
      const job = (await this.#parts.worker.getNextJob(token, { block: false })) as Job | undefined;
      if (!job?.id) return undefined;
      if (await this.#isCancelled(job.id)) await this.#drop(job, token);
      else if (job.deferredFailure) {
        // BullMQ found that its holders were lost too often.
        await job.moveToFailed(new this.#parts.Final(job.deferredFailure), token);
      } else {
        this.#held.set(token, job);
        return { id: job.id, payload: job.data as Json, token };
      }
    }
  }

  /** Takes a cancelled job off the list of active ones; what is known of it stays in the hash. */
  async #drop(job: Job, token: string): Promise<void> {
    this.#held.delete(token);
    try {
      await job.moveToFailed(new this.#parts.Final('cancelled'), token);
      await job.remove();
      await this.#cancelled.dropped(job.id!);
    } catch (error) {
      if (!isLostLease(error)) throw error;
    }
  }

  async progress({ id, token }: Lease, progress?: Json): Promise<Standing> {
    const job = this.#held.get(token);
    if (await this.#isCancelled(id)) {
      if (job) await this.#drop(job, token);
      return 'cancelled';
    }
    if (!job) return 'lost';
    try {
      // Redis answers 1, or 0 where somebody else holds the lock.
      if ((await job.extendLock(token, this.#leaseMs)) === 1) {
        if (progress !== undefined) await job.updateProgress(progress as object);
        return 'held';
      }
    } catch (error) {
      if (!isLostLease(error)) throw error;
    }
    this.#held.delete(token);
    return 'lost';
  }

  /** Ends a lease; false when it was lost before, or nobody wants the job any more. */
  async #end({ id, token }: Lease, move: (job: Job) => Promise<unknown>): Promise<boolean> {
    const job = this.#held.get(token);
    if (!job) return false;
    if (await this.#isCancelled(id)) {
      await this.#drop(job, token);
      return false;
    }
    this.#held.delete(token);
    try {
      await move(job);
      return true;
    } catch (error) {
      if (isLostLease(error)) return false;
      throw error;
    }
  }

  finish(lease: Lease, result: Json): Promise<boolean> {
    return this.#end(lease, (job) => job.moveToCompleted(result, lease.token, false));
  }

  fail(lease: Lease, failure: JobFailure, isFinal = false): Promise<boolean> {
    const text = JSON.stringify(failure);
    const error = isFinal ? new this.#parts.Final(text) : new Error(text);
    return this.#end(lease, (job) => job.moveToFailed(error, lease.token, false));
  }

  async result(id: string): Promise<JobRecord | undefined> {
    const kept = await this.#cancelled.get(id);
    if (kept) {
      const { payload, progress } = kept;
      return { id, state: 'cancelled', payload, progress, result: null, failure: null };
    }
    // The state comes first: a job that ends in between must not be finished and without a result.
    const raw = await this.#parts.queue.getJobState(id);
    const job = await this.#job(id);
    if (!job || raw === 'unknown') return undefined;
    const state = stateOf(raw);
    return {
      id,
      state,
      payload: job.data as Json,
      progress: (job.progress as Json) === 0 ? null : (job.progress as Json),
      result: state === 'finished' ? ((job.returnvalue ?? null) as Json) : null,
      failure: state === 'finished' ? null : failureOf(job.failedReason),
    };
  }

  async cancel(id: string): Promise<boolean> {
    const record = await this.result(id);
    if (!record || (record.state !== 'waiting' && record.state !== 'active')) return false;
    const { payload, progress } = record;
    const attempts = (await this.#job(id))?.opts.attempts;
    await this.#cancelled.add(id, { payload, progress, attempts });
    const job = await this.#job(id);
    const state = job && stateOf(await job.getState());
    if (state === 'finished' || state === 'failed') {
      await this.#cancelled.remove(id);
      return false;
    }
    // A job that is held cannot be removed: its holder learns of it by its next report.
    await (job ? job.remove() : Promise.resolve()).then(
      () => this.#cancelled.dropped(id),
      () => undefined,
    );
    return true;
  }

  async retry(id: string): Promise<boolean> {
    const kept = await this.#cancelled.get(id);
    if (kept) {
      const { payload, attempts } = kept;
      await this.#cancelled.remove(id);
      await this.enqueue({ id, payload, ...(attempts !== undefined && { attempts }) });
      return true;
    }
    const job = await this.#job(id);
    if (!job || (await job.getState()) !== 'failed') return false;
    await job.retry('failed', { resetAttemptsMade: true, resetAttemptsStarted: true });
    return true;
  }

  async remove(id: string): Promise<void> {
    await this.#cancelled.remove(id);
    await this.#parts.queue.remove(id);
  }

  async counts(): Promise<Readonly<Record<JobState, number>>> {
    const { queue } = this.#parts;
    const [counted, cancelled] = await Promise.all([
      queue.getJobCounts('waiting', 'delayed', 'active', 'completed', 'failed'),
      this.#cancelled.count(queue.toKey('active'), queue.toKey('wait')),
    ]);
    const { waiting = 0, delayed = 0, active = 0, completed = 0, failed = 0 } = counted;
    return {
      waiting: Math.max(0, waiting + delayed - cancelled.waiting),
      active: Math.max(0, active - cancelled.active),
      finished: completed,
      failed,
      cancelled: cancelled.cancelled,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { worker, queue, redis } = this.#parts;
    await worker.close(true);
    await queue.close();
    redis.disconnect();
  }
}

/**
 * Opens the queue of a name on Redis or Valkey.
 *
 * @throws TollamaError DEPENDENCY_MISSING when the packages are not there or nobody answers
 */
export const openRedisQueue = async (address: string, options: QueueOptions): Promise<JobQueue> => {
  const redis = await connectRedis(address);
  const { bullmq } = await loadRedisPackages();
  const { name, leaseMs = DEFAULT_LEASE_MS, mostLosses = DEFAULT_LOSSES } = options;
  const shared = { connection: redis, prefix: 'tollama' };
  const queue = new bullmq.Queue(name, shared);
  const worker = new bullmq.Worker(name, null, {
    ...shared,
    autorun: false,
    lockDuration: leaseMs,
    stalledInterval: Math.max(100, leaseMs / 2),
    maxStalledCount: mostLosses,
  });
  // The connection tries again by itself; whoever waits for a command learns of anything else.
  queue.on('error', () => undefined);
  worker.on('error', () => undefined);
  void worker.startStalledCheckTimer().catch(() => undefined);
  return new RedisQueue({ redis, queue, worker, Final: bullmq.UnrecoverableError }, options);
};
