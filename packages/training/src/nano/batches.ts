/** Batches out of blocks, in an order that a seed and the journal of visits fix. */

import type { Feeds } from '@tollama/graph';
import { ANCHORS } from '@tollama/models/families/tollama-nano/anchors';
import { CONTEXT_FEATURES, STEP_FEATURES } from '@tollama/models/families/tollama-nano/prepare';
import { createRandom } from '../synthetic/random.ts';
import { ORIGIN_WIDTH, ROW_WIDTH, STEP_WIDTH, STEPS } from './windows.ts';

const WIDTH = ANCHORS.length;

export interface Batch {
  readonly feeds: Feeds;
  /** [rows][4]: source, points, horizon, season. */
  readonly origins: Float32Array;
  /** [rows][STEPS]: absolute error of the last season's value in units of the scale, weighted as the loss. */
  readonly naive: Float32Array;
}

/** The rows `indices` of a block as inputs of the loss graph. */
export const batchOf = (block: Float32Array, indices: ArrayLike<number>): Batch => {
  const count = indices.length;
  const context = new Float32Array(count * CONTEXT_FEATURES);
  const features = new Float32Array(count * STEPS * STEP_FEATURES);
  const deviations = new Float32Array(count * STEPS * WIDTH);
  const target = new Float32Array(count * STEPS);
  const weight = new Float32Array(count * STEPS);
  const naive = new Float32Array(count * STEPS);
  const origins = new Float32Array(count * ORIGIN_WIDTH);
  for (let i = 0; i < count; i++) {
    const row = block.subarray(indices[i]! * ROW_WIDTH, (indices[i]! + 1) * ROW_WIDTH);
    context.set(row.subarray(0, CONTEXT_FEATURES), i * CONTEXT_FEATURES);
    for (let k = 0; k < STEPS; k++) {
      const at = CONTEXT_FEATURES + k * STEP_WIDTH;
      const to = i * STEPS + k;
      features.set(row.subarray(at, at + STEP_FEATURES), to * STEP_FEATURES);
      deviations.set(row.subarray(at + STEP_FEATURES, at + STEP_FEATURES + WIDTH), to * WIDTH);
      target[to] = row[at + STEP_WIDTH - 2]!;
      weight[to] = row[at + STEP_WIDTH - 1]!;
      naive[to] = weight[to]! * Math.abs(target[to]! - row[at + STEP_FEATURES + 1]!);
    }
    origins.set(row.subarray(ROW_WIDTH - ORIGIN_WIDTH), i * ORIGIN_WIDTH);
  }
  const tensor = (dims: readonly number[], data: Float32Array) =>
    ({ dtype: 'float32', dims, data }) as const;
  const feeds: Feeds = {
    context: tensor([count, CONTEXT_FEATURES], context),
    features: tensor([count, STEPS, STEP_FEATURES], features),
    deviations: tensor([count, STEPS, WIDTH], deviations),
    target: tensor([count, STEPS], target),
    weight: tensor([count, STEPS], weight),
  };
  return { feeds, origins, naive };
};

/** A permutation of a block's rows for one visit. */
export const visitOrder = (seed: number, visit: number, rows: number): Int32Array => {
  const random = createRandom(seed, visit);
  const order = Int32Array.from({ length: rows }, (_, i) => i);
  for (let i = rows - 1; i > 0; i--) {
    const j = random.integer(0, i);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
};
