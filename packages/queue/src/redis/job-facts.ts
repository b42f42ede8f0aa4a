/** BullMQ's words in the queue's own. */
import { type JobFailure, type JobState, workerLost } from '../job-queue.ts';

/** 'wait', 'delayed', 'prioritized', ... all wait. */
export const stateOf = (state: string): JobState => {
  if (state === 'completed') return 'finished';
  if (state === 'failed' || state === 'active') return state;
  return 'waiting';
};

/** Failures are stored as JSON; any other text is BullMQ's own, for a job that lost its holders. */
export const failureOf = (reason: string | undefined): JobFailure | null => {
  if (!reason) return null;
  try {
    return JSON.parse(reason) as JobFailure;
  } catch {
    return workerLost();
  }
};

/** Lock missing, lock of another, job not active, or job gone. */
const LOST_CODES: ReadonlySet<unknown> = new Set([-1, -2, -3, -6]);

/** Whether BullMQ refuses since the lease is no longer held. */
export const isLostLease = (error: unknown): boolean =>
  error instanceof Error && LOST_CODES.has((error as Error & { readonly code?: unknown }).code);
