/** Micro-batches of a step whose gradients somebody else computes, and how these become one. */
import type { Feeds, TensorValue } from '@tollama/graph';
import type { Gradients, StepSettings } from './training-step.ts';

export interface GradientShards {
  /** The gradients of each batch at these parameters, in the order of the batches whoever computed them. */
  gradients(
    batches: readonly Feeds[],
    parameters: ReadonlyMap<string, TensorValue>,
    alpha: StepSettings['alpha'],
  ): Promise<readonly Gradients[]>;
}

/**
 * sum += share * part in float32, each operation rounded as the graph rounds it: sums taken here and there have the
 * same bits.
 */
export const addShare = (sum: Float32Array, part: Float32Array, share: number): void => {
  const factor = Math.fround(share);
  for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + Math.fround(factor * part[i]!);
};
