/**
 * A forward pass with the loss that all families are trained by: the pinball loss of their quantiles, or the loss
 * of their points, with errors in units of the context's spread.
 */
import type { TrainingLoss } from '@tollama/core/training-job';
import {
  add,
  constant,
  defineGraph,
  div,
  type Feeds,
  type Graph,
  input,
  mul,
  rearrange,
  slice,
  sub,
  sum,
  type Tensor,
  type TensorValue,
} from '@tollama/graph';
import type { FamilyTraining, Units } from '@tollama/models/family';
import type { WindowBatch } from '../data/windows.ts';
import { pinball } from '../loss/losses.ts';
import { type Points, pointLoss } from './point-loss.ts';

/** Inputs of the loss beside those of the family; no family's own input begins like these. */
const LABEL = 'label';
const WEIGHT = 'label_weight';
const SPREAD = 'label_spread';
const LOC = 'output_loc';
const SCALE = 'output_scale';

/** Of the level that stands for the forecast: the nearest to the median. */
export const middleOf = (levels: readonly number[]): number =>
  levels.reduce(
    (best, level, i) => (Math.abs(level - 0.5) < Math.abs(levels[best]! - 0.5) ? i : best),
    0,
  );

/** Twice the pinball loss, which is the absolute error of the median, over the levels that count. */
const quantileLoss = (
  { label, prediction, spread, weight }: Points,
  levels: readonly number[],
  counts: readonly number[],
): Tensor => {
  const each = pinball(div(sub(label, prediction), spread), levels);
  const share = constant([...counts], 'float32', [1, levels.length, 1]);
  return sum(mul(mul(each, share), mul(weight, 2 / levels.length)), [0, 1, 2]);
};

/** Points have their own loss; of quantiles the middle one has another when it is asked for. */
const lossOf = (points: Points, training: FamilyTraining, asked: TrainingLoss): Tensor => {
  const { levels, loss } = training;
  if (loss) return pointLoss(asked === 'default' ? loss : asked, points);
  const all = levels.map(() => 1);
  if (asked === 'default') return quantileLoss(points, levels, all);
  const middle = middleOf(levels);
  const prediction = slice(points.prediction, 1, { start: middle, end: middle + 1 });
  const point = div(pointLoss(asked, { ...points, prediction }), levels.length);
  return add(quantileLoss(points, levels, all.with(middle, 0)), point);
};

/** A number for each window, beside quantiles. [b] -> [b, 1, 1] */
const each = (x: Tensor): Tensor => rearrange(x, 'b -> b 1 1');

/**
 * Adds the inputs label and label_weight [batch, horizon], label_spread [batch] (and output_loc, output_scale
 * [batch] or [batch, horizon] of families that scale outside of their graph), and the outputs
 *
 *   loss = sum of weight[b, h] rho((label - quantile) / spread[b]) / levels over windows, levels and steps
 *
 * and quantiles [batch, levels, horizon] in the units of the contexts. The weights carry mask and divisor
 * (`lossFeeds`).
 */
export const withForecastLoss = (
  forward: Graph,
  training: FamilyTraining,
  asked: TrainingLoss = 'default',
): Graph => {
  const raw = training.quantiles(forward.outputs);
  const [batch, , horizon] = raw.shape;
  const isStepped = training.unitsOf === 'steps';
  const unitShape = isStepped ? [batch!, horizon!] : [batch!];
  const units = training.units ? [input(LOC, unitShape), input(SCALE, unitShape)] : [];
  const [loc, scale] = units.map((unit) =>
    isStepped ? rearrange(unit, 'b h -> b 1 h') : each(unit),
  );
  const quantiles = loc && scale ? add(mul(raw, scale), loc) : raw;
  const [label, weight] = [LABEL, WEIGHT].map((name) => input(name, [batch!, horizon!]));
  const spread = input(SPREAD, [batch!]);
  const points = {
    label: rearrange(label!, 'b h -> b 1 h'),
    prediction: quantiles,
    spread: each(spread),
    weight: rearrange(weight!, 'b h -> b 1 h'),
  };
  const inputs = [...forward.inputs, label!, weight!, spread, ...units];
  const loss = lossOf(points, training, asked);
  return defineGraph(`${forward.name}-loss`, inputs, { loss, quantiles });
};

/** Standard deviation of what is known; its size, or 1, where there is no spread. */
export const spreadOf = (values: Float32Array): number => {
  let count = 0;
  let mean = 0;
  let squares = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    count++;
    const step = value - mean;
    mean += step / count;
    squares += step * (value - mean);
  }
  const deviation = count > 0 ? Math.sqrt(squares / count) : 0;
  // A constant in float32 has a spread of rounding errors alone.
  if (deviation > Math.abs(mean) * 1e-6) return deviation;
  return Math.abs(mean) > 0 ? Math.abs(mean) : 1;
};

const float32 = (data: Float32Array, dims: readonly number[]): TensorValue => ({
  dtype: 'float32',
  dims,
  data,
});

/** Feeds of the loss: labels of the asked steps, each of the same weight, together 1. */
const labelFeeds = (batch: WindowBatch, training: FamilyTraining): Feeds => {
  const { contexts, labels, size, context, horizon } = batch;
  const steps = training.horizon;
  const label = new Float32Array(size * steps);
  const weight = new Float32Array(size * steps);
  const known = labels.reduce((count, value) => count + (Number.isNaN(value) ? 0 : 1), 0);
  const share = 1 / Math.max(1, known);
  labels.forEach((value, i) => {
    if (Number.isNaN(value)) return;
    const at = Math.floor(i / horizon) * steps + (i % horizon);
    label[at] = value;
    weight[at] = share;
  });
  const spread = Float32Array.from({ length: size }, (_, row) =>
    spreadOf(contexts.subarray(row * context, (row + 1) * context)),
  );
  return {
    [LABEL]: float32(label, [size, steps]),
    [WEIGHT]: float32(weight, [size, steps]),
    [SPREAD]: float32(spread, [size]),
  };
};

const unitFeeds = ({ loc, scale }: Units, { unitsOf, horizon }: FamilyTraining, size: number) => {
  const dims = unitsOf === 'steps' ? [size, horizon] : [size];
  return { [LOC]: float32(loc, dims), [SCALE]: float32(scale, dims) };
};

/** What the graph of `withForecastLoss` is fed for a batch of windows. */
export const lossFeeds = (batch: WindowBatch, training: FamilyTraining): Feeds => {
  const { contexts, size } = batch;
  const units = training.units?.(contexts, size);
  return {
    ...training.feeds(contexts, size),
    ...(batch.rows && training.covariates?.feeds(batch.rows)),
    ...labelFeeds(batch, training),
    ...(units && unitFeeds(units, training, size)),
  };
};
