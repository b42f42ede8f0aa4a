import { TollamaError } from '@tollama/core/errors';
import type { Checkpoint, Graph, TensorValue } from '@tollama/graph';
import type { OptimizerOptions } from './optimizer.ts';
import type { TrainingStep } from './training-step.ts';

export interface TrainingStepOptions {
  /**
   * A forward pass with an output `loss` of shape []; other outputs are given by `evaluate`. Tensors of the
   * checkpoint are its parameters; alphas are float32 inputs of shape [] called `alpha` or `alpha.<seed>`.
   */
  readonly graph: Graph;
  /** First values of the trainable tensors, by the names of the graph's parameters; the others are frozen. */
  readonly trainable: ReadonlyMap<string, TensorValue>;
  /** Holds the frozen parameters; may be absent where all are trainable. */
  readonly checkpoint?: Checkpoint | undefined;
  readonly optimizer: OptimizerOptions;
  /** Largest norm over all gradients; not clipped when absent. */
  readonly clipNorm?: number | undefined;
  /** Whether weight decay reaches a tensor; all when absent. */
  readonly isDecayed?: ((name: string, shape: readonly number[]) => boolean) | undefined;
  /** Threads within an operator. */
  readonly threads: number;
}

/**
 * Builds the step graph and makes it ready to run.
 *
 * @throws TollamaError GRAPH_INVALID when the loss has no derivative with regard to a trainable tensor
 * @example
 * await using step = await openTrainingStep({ graph, trainable, optimizer: { kind: 'adamw' }, threads: 2 });
 * const result = await step.run(batch, { learningRate: 1e-3 });
 * if (result.finite) result.commit();
 */
export const openTrainingStep = async (_options: TrainingStepOptions): Promise<TrainingStep> => {
  throw new TollamaError('INTERNAL', 'the step graph follows');
};
