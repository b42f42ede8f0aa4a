/**
 * Brings a training back to an earlier state under one deadline, counted from the decision: from a snapshot in
 * memory, else from the latest checkpoint. Reading and hashing happen on another thread, which the timer races;
 * nothing of the present state is touched before the earlier one is there, whole and verified.
 */
import { errorMessage, TollamaError } from '@tollama/core/errors';
import type { CheckpointThread } from '../checkpoint/checkpoint-thread.ts';
import type { Clock } from '../clock/clock.ts';
import { type Snapshot, type SnapshotStore, stateOf } from '../snapshot/snapshot-store.ts';
import { type CapturedState, fromContents } from '../trainer/captured-state.ts';
import type { TrainingRecord } from '../trainer/training-record.ts';

export type RestoreOutcome =
  | 'fast_hit'
  | 'full_hit'
  | 'no_snapshot'
  | 'deadline_exceeded'
  | 'corrupt'
  | 'failed';

export interface RestoreResult {
  readonly outcome: RestoreOutcome;
  /** From the decision to the end, successful or not. */
  readonly latencyMs: number;
  /** The parts of it: finding and verifying, taking over, confirming. */
  readonly phasesMs: {
    readonly prepare: number;
    readonly commit: number;
    readonly confirm: number;
  };
  /** The state that holds now; undefined when nothing changed. */
  readonly state: CapturedState | undefined;
  /** Why it did not succeed. */
  readonly message: string | undefined;
}

export interface RestoreOptions {
  /** The nearest snapshot at or before it is wanted. */
  readonly step: number;
  readonly snapshots: SnapshotStore;
  readonly thread: Pick<CheckpointThread, 'hash' | 'read'>;
  /** The full tier: where the latest checkpoint lies; undefined when there is none. */
  readonly latest: () => Promise<string | undefined>;
  /** Reads trainer.json; throws for one that does not belong to the run. */
  readonly parseRecord: (text: string | undefined) => TrainingRecord;
  /** Takes a state over; called once, when it is verified and in time. */
  readonly apply: (state: CapturedState) => void;
  /** Whether what is applied now is that state. */
  readonly confirm: (state: CapturedState) => boolean;
  readonly deadlineMs: number;
  readonly clock: Clock;
}

/** The state to go back to, or why there is none. */
type Found =
  | { readonly outcome: 'fast_hit' | 'full_hit'; readonly state: CapturedState }
  | {
      readonly outcome: Exclude<RestoreOutcome, 'fast_hit' | 'full_hit'>;
      readonly message: string;
    };

/** What a snapshot is worth: its bytes must be those that were taken. */
const verified = async (
  snapshot: Snapshot,
  thread: RestoreOptions['thread'],
): Promise<CapturedState | undefined> => {
  const [taken, now] = await Promise.all([snapshot.sha256, thread.hash(snapshot.bytes)]);
  return taken === now ? stateOf(snapshot) : undefined;
};

const fromFast = async (options: RestoreOptions): Promise<Found | undefined> => {
  const snapshot = options.snapshots.nearest(options.step);
  if (!snapshot) return undefined;
  const state = await verified(snapshot, options.thread);
  return state && { outcome: 'fast_hit', state };
};

const failureOf = (thrown: unknown): Found => {
  const isCorrupt = thrown instanceof TollamaError && thrown.code === 'CHECKPOINT_INVALID';
  return { outcome: isCorrupt ? 'corrupt' : 'failed', message: errorMessage(thrown) };
};

const fromFull = async (
  { thread, latest, parseRecord }: RestoreOptions,
  onAbort: (abort: () => void) => void,
): Promise<Found> => {
  const path = await latest();
  if (path === undefined) {
    return { outcome: 'no_snapshot', message: 'there is neither a snapshot nor a checkpoint' };
  }
  const reading = thread.read(path);
  onAbort(reading.abort);
  return { outcome: 'full_hit', state: fromContents(await reading.result, parseRecord) };
};

/** Snapshot, then checkpoint; a snapshot whose bytes have changed counts as none. */
const find = async (
  options: RestoreOptions,
  onAbort: (abort: () => void) => void,
): Promise<Found> => {
  try {
    return (await fromFast(options)) ?? (await fromFull(options, onAbort));
  } catch (thrown) {
    return failureOf(thrown);
  }
};

/** What comes first: the state or the deadline. */
const findInTime = (options: RestoreOptions): Promise<Found> => {
  const { clock, deadlineMs } = options;
  let abort = (): void => {};
  return new Promise((resolve) => {
    const cancel = clock.after(deadlineMs, () => {
      abort();
      resolve({ outcome: 'deadline_exceeded', message: `not restored within ${deadlineMs} ms` });
    });
    void find(options, (given) => {
      abort = given;
    }).then((found) => {
      cancel();
      resolve(found);
    });
  });
};

/** @returns what happened; it never throws for a state that cannot be had */
export const restore = async (options: RestoreOptions): Promise<RestoreResult> => {
  const { clock, deadlineMs, apply, confirm } = options;
  const decided = clock.now();
  const found = await findInTime(options);
  const prepared = clock.now();
  const ended = (result: Pick<RestoreResult, 'outcome' | 'state' | 'message'>, applied: number) => {
    const end = clock.now();
    const phasesMs = {
      prepare: prepared - decided,
      commit: applied - prepared,
      confirm: end - applied,
    };
    return { ...result, latencyMs: end - decided, phasesMs };
  };
  if (!('state' in found)) return ended({ ...found, state: undefined }, prepared);
  // The timer's callback may come late, when this thread was busy: time itself decides.
  if (prepared - decided >= deadlineMs) {
    const message = `the state was there after ${prepared - decided} ms, past the ${deadlineMs} ms`;
    return ended({ outcome: 'deadline_exceeded', state: undefined, message }, prepared);
  }
  apply(found.state);
  const applied = clock.now();
  if (confirm(found.state)) return ended({ ...found, message: undefined }, applied);
  const message = 'the restored tensors differ from those of the snapshot';
  return ended({ outcome: 'failed', state: undefined, message }, applied);
};
