/** What a training is told: all of it plain values with defaults, apart from the parts that do the work. */
import type { Feeds } from '@tollama/graph';
import type { CheckpointThread } from '../checkpoint/checkpoint-thread.ts';
import type { CheckpointFile } from '../checkpoint/contents.ts';
import { RETENTION_DEFAULTS, type Retention } from '../checkpoint/retention.ts';
import type { Clock } from '../clock/clock.ts';
import type { SamplerState } from '../data/sampler.ts';
import { GOVERNOR_DEFAULTS, type GovernorOptions } from '../governor/governor.ts';
import type { ScheduleSpec } from '../schedule/schedule.ts';
import type { TrainingStep } from '../step/training-step.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { EMERGENCY_DEFAULTS, type EmergencyOptions } from './emergency.ts';
import type { TrainingRecord } from './training-record.ts';

/** Where batches come from; it can be put back to where it stood. */
export interface BatchSource {
  /** The micro-batches of one step. */
  next(): readonly Feeds[];
  state(): SamplerState;
  load(state: SamplerState): void;
}

/** What a validation found; a measure that has no value is left out. */
export interface Validation {
  readonly loss: number;
  readonly mase?: number;
  readonly crps?: number;
}

/** What an epoch came to. */
export interface EpochSummary {
  /** Counts from 1. */
  readonly epoch: number;
  readonly step: number;
  /** Mean over its steps; undefined when none was committed. */
  readonly trainLoss: number | undefined;
  readonly validation: Validation | undefined;
  readonly latencyMs: number;
  /** Without a refused step, a rollback or an exceeded budget. */
  readonly isClean: boolean;
}

/** Who adapts the model at the end of each epoch. */
export interface EpochControl {
  /**
   * Decides and acts on it.
   * @param isConservative only what runs may go on: nothing is decided
   * @returns whether all that was asked answered in time, and whether a breaker is closed
   */
  epochEnded(
    summary: EpochSummary,
    isConservative: boolean,
  ): Promise<{ readonly isHealthy: boolean; readonly isBreakerClosed: boolean }>;
  /** Before a step: what seeds are blended with. */
  alpha(): Readonly<Record<string, number>> | undefined;
  /** After a rollback: seeds that the restored state does not know go. */
  rolledBack(slots: TrainingRecord['slots'], reason: string): void;
  state(): TrainingRecord['slots'];
  load(slots: TrainingRecord['slots']): void;
}

export interface TrainerParts {
  readonly step: TrainingStep;
  readonly batches: BatchSource;
  readonly telemetry: Telemetry;
  readonly thread: CheckpointThread;
  readonly clock: Clock;
  /** Of the present parameters; no validation when absent. */
  readonly validate?: ((step: TrainingStep) => Promise<Validation>) | undefined;
  readonly control?: EpochControl | undefined;
  /** Looks after what must not change; its names are those that did. */
  readonly frozen?: { check(): Promise<readonly string[]> } | undefined;
}

export interface TrainerOptions {
  /** Folder of the checkpoints. */
  readonly folder: string;
  readonly schedule: ScheduleSpec;
  readonly learningRate: number;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  /** Decay of the moving average of the parameters; none is kept when absent. */
  readonly averageDecay?: number | undefined;
  /** Validations without progress that end the training; never when absent. */
  readonly patience?: number | undefined;
  readonly minimumImprovement: number;
  /** Steps between checkpoints; one is written at the end of each epoch when absent. */
  readonly checkpointEvery?: number | undefined;
  /** Steps between snapshots in memory; at the end of each epoch when absent. */
  readonly snapshotEvery?: number | undefined;
  readonly snapshotBytes?: number | undefined;
  readonly retention: Retention;
  readonly governor: GovernorOptions;
  readonly rollback: {
    readonly deadlineMs: number;
    /** What the learning rate is multiplied with. */
    readonly rateFactor: number;
  };
  readonly budgets: {
    readonly epochMs?: number | undefined;
    readonly hookMs?: number | undefined;
    /** Whether an exceeded budget goes back to the last snapshot. */
    readonly rollsBack?: boolean;
  };
  readonly emergency: EmergencyOptions;
  /** Steps between lines of progress. */
  readonly progressEvery: number;
  readonly configHash: string;
  readonly base: TrainingRecord['base'];
  /** Further files of each checkpoint. */
  readonly files: readonly CheckpointFile[];
}

/** The loss is scaled by the spread of its context, so that what is normal lies below 1. */
const ABSOLUTE_LIMIT = 5;

export const TRAINER_DEFAULTS = {
  minimumImprovement: 0,
  retention: RETENTION_DEFAULTS,
  governor: { ...GOVERNOR_DEFAULTS, absolute: ABSOLUTE_LIMIT },
  rollback: { deadlineMs: 500, rateFactor: 0.5 },
  budgets: {},
  emergency: EMERGENCY_DEFAULTS,
  progressEvery: 10,
  base: null,
  files: [],
} as const satisfies Partial<TrainerOptions>;

export type TrainingEnd = 'finished' | 'early_stopped' | 'stopped' | 'halted';

export interface TrainingOutcome {
  readonly end: TrainingEnd;
  readonly step: number;
  readonly epoch: number;
  readonly best: { readonly step: number; readonly value: number } | null;
}
