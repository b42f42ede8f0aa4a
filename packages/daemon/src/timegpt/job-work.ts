/** One job at work: its lease held, its body read, its answer kept. */
import { TollamaError, toTollamaError } from '@tollama/core/errors';
import type { JobFailure, Json, Lease } from '@tollama/queue';
import { z } from 'zod';
import type { JobKeeping } from './job-keeping.ts';

/** What a queue holds of a job; the body is a content's hash. */
export const JobPayload = z.object({
  keyId: z.string(),
  task: z.string(),
  timeoutMs: z.number().nullable(),
  body: z.string(),
});
export type JobPayload = z.infer<typeof JobPayload>;

/** A job as whoever runs tasks gets it. */
export interface JobCall {
  readonly jobId: string;
  readonly keyId: string;
  readonly task: string;
  readonly body: Uint8Array;
  readonly signal: AbortSignal;
}

export type RunJob = (call: JobCall) => Promise<unknown>;

const RENEWALS_PER_LEASE = 3;

const failureOf = (error: TollamaError): JobFailure => {
  const { code, message, hint } = error;
  return { code, message, ...(hint !== undefined && { hint }) };
};

const runJob = async (
  { contents }: JobKeeping,
  { id, payload }: Lease,
  run: RunJob,
  signal: AbortSignal,
): Promise<Json> => {
  const { keyId, task, body: hash } = JobPayload.parse(payload);
  const body = await contents.get(hash);
  if (!body) {
    throw new TollamaError('NOT_FOUND', `the request of job '${id}' is no longer kept`, {
      hint: 'submit it again',
    });
  }
  signal.throwIfAborted();
  const answer = await run({ jobId: id, keyId, task, body, signal });
  return { content: await contents.put(Buffer.from(JSON.stringify(answer))) };
};

/** Aborts when the job takes longer than it may. */
const startTimeout = (abort: AbortController, payload: Json): NodeJS.Timeout | undefined => {
  const { data } = JobPayload.safeParse(payload);
  if (!data?.timeoutMs) return undefined;
  const seconds = data.timeoutMs / 1000;
  return setTimeout(
    () => abort.abort(new TollamaError('TIMEOUT', `the job took longer than ${seconds} s`)),
    data.timeoutMs,
  );
};

/** Renews the lease until it is told not to, and aborts a job that nobody wants or that another has. */
const holdLease = ({ queue, leaseMs }: JobKeeping, lease: Lease, abort: AbortController) =>
  setInterval(() => {
    queue.progress(lease).then(
      (standing) => {
        if (standing === 'held') return;
        abort.abort(new TollamaError('INTERRUPTED', `the job is ${standing}`));
      },
      // The queue may come back before the lease runs out.
      () => undefined,
    );
  }, leaseMs / RENEWALS_PER_LEASE).unref();

/**
 * Runs a leased job to its end. A job that was aborted by the end of this process stays leased: whoever comes next
 * runs it again.
 */
export const workOn = async (
  keeping: JobKeeping,
  lease: Lease,
  { run, abort, isClosing }: WorkOptions,
): Promise<void> => {
  const timer = startTimeout(abort, lease.payload);
  const renewal = holdLease(keeping, lease, abort);
  try {
    const result = await runJob(keeping, lease, run, abort.signal);
    await keeping.queue.finish(lease, result);
  } catch (thrown) {
    if (isClosing()) return;
    const cause = abort.signal.aborted ? abort.signal.reason : thrown;
    await keeping.queue.fail(lease, failureOf(toTollamaError(cause)), true);
  } finally {
    clearTimeout(timer);
    clearInterval(renewal);
  }
};

export interface WorkOptions {
  readonly run: RunJob;
  readonly abort: AbortController;
  readonly isClosing: () => boolean;
}
