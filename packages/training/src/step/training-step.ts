/**
 * One optimizer step as a value: what a trainer holds. The step computes the next state beside the present one
 * and shows what it found; nothing is taken over before `commit` (the commit gate).
 */
import type { Feeds, TensorValue } from '@tollama/graph';

/** What changes from step to step beside the batch. */
export interface StepSettings {
  readonly learningRate: number;
  /** Of schedules that move it: SGD's and Muon's momentum, AdamW's first beta. The optimizer's own when absent. */
  readonly momentum?: number | undefined;
  /**
   * Factor of seeds that are blended in: one for all, or by the name of the graph's input (`alpha.<seed>`).
   * 1 when absent; ignored by a graph without seeds.
   */
  readonly alpha?: number | Readonly<Record<string, number>>;
}

export interface StepResult {
  /** Before the step; the mean over the micro-batches. */
  readonly loss: number;
  /** Norm over all gradients before clipping. */
  readonly gradientNorm: number;
  /** Whether loss and norm are finite: only then may the step be committed. */
  readonly finite: boolean;
  /**
   * Takes the next state over, without copying.
   * @throws TollamaError TRAINING_DIVERGED for a step that is not finite, INTERNAL for one that is not the last run
   */
  commit(): void;
}

/** Everything that a step changes. The arrays are the step's own, valid until its next run: copy to keep. */
export interface TrainingState {
  /** By their names in the checkpoint. */
  readonly parameters: ReadonlyMap<string, TensorValue>;
  /** By moment and parameter: `exp_avg.<name>`, `exp_avg_sq.<name>`, `momentum_buffer.<name>`. */
  readonly moments: ReadonlyMap<string, TensorValue>;
  /** Committed steps. */
  readonly step: number;
  /**
   * Committed steps before the first one of tensors that came later, by their cohort: the optimizer counts from
   * there. The beginning when absent.
   */
  readonly births?: ReadonlyMap<string, number>;
}

export interface Gradients {
  readonly loss: number;
  /** By the names of the parameters. */
  readonly gradients: ReadonlyMap<string, TensorValue>;
}

export interface TrainingStep extends AsyncDisposable {
  /** The trainable tensors: name -> shape. */
  readonly parameters: ReadonlyMap<string, readonly number[]>;
  /**
   * Forward, backward, clipping and the optimizer's arithmetic. Several batches are micro-batches of one step:
   * their gradients are averaged.
   */
  run(batch: Feeds | readonly Feeds[], settings: StepSettings): Promise<StepResult>;
  /** The loss alone, for validation, and other outputs of the loss graph. */
  evaluate(
    batch: Feeds,
    settings?: Pick<StepSettings, 'alpha'>,
  ): Promise<{ readonly loss: number; readonly outputs: Readonly<Record<string, TensorValue>> }>;
  /** Gradients without a step, for probes. */
  gradients(batch: Feeds, settings?: Pick<StepSettings, 'alpha'>): Promise<Gradients>;
  state(): TrainingState;
  /**
   * Copies a state in: after a rollback or to go on from a checkpoint.
   * @throws TollamaError CHECKPOINT_INVALID for a tensor that is missing or of another shape
   */
  load(state: TrainingState): void;
}
