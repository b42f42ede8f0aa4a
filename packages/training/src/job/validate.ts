/** Validation of a model of quantiles: its loss, MASE of the median and the mean weighted quantile loss. */
import type { FamilyTraining } from '@tollama/models/family';
import { cutWindows, type Window, type WindowPlan } from '../data/windows.ts';
import type { TrainingStep } from '../step/training-step.ts';
import type { Validation } from '../trainer/trainer-options.ts';
import { lossFeeds, middleOf } from './forecast-loss.ts';

export interface ValidateOptions {
  readonly plan: WindowPlan;
  readonly training: FamilyTraining;
  /** Windows of one pass. */
  readonly batchSize: number;
  /** Steps of a season, for the scale of MASE. */
  readonly season: number;
}

/** Enough for a stable mean, and few enough to wait for. */
const MOST_WINDOWS = 512;

/** At most so many windows, evenly spread. */
const chosen = (windows: readonly Window[]): readonly Window[] => {
  if (windows.length <= MOST_WINDOWS) return windows;
  const stride = windows.length / MOST_WINDOWS;
  return Array.from({ length: MOST_WINDOWS }, (_, i) => windows[Math.floor(i * stride)]!);
};

/** Mean |x[t] - x[t - season]| before `end`; NaN without a pair. */
const seasonalError = (values: Float32Array, end: number, season: number): number => {
  const lag = season < end ? season : 1;
  let sum = 0;
  let count = 0;
  for (let t = lag; t < end; t++) {
    const step = Math.abs(values[t]! - values[t - lag]!);
    if (Number.isNaN(step)) continue;
    sum += step;
    count++;
  }
  return sum / count;
};

interface Sums {
  loss: number;
  windows: number;
  scaled: number;
  scaledCount: number;
  pinball: number;
  absolute: number;
}

const addWindow = (
  sums: Sums,
  window: { readonly label: Float32Array; readonly scale: number },
  quantiles: Float32Array,
  { levels, horizon }: FamilyTraining,
): void => {
  const { label, scale } = window;
  const middle = middleOf(levels);
  label.forEach((y, h) => {
    if (Number.isNaN(y)) return;
    sums.absolute += Math.abs(y);
    levels.forEach((level, q) => {
      const error = y - quantiles[q * horizon + h]!;
      sums.pinball += (2 * Math.max(level * error, (level - 1) * error)) / levels.length;
    });
    const share = Math.abs(y - quantiles[middle * horizon + h]!) / scale;
    if (!Number.isFinite(share)) return;
    sums.scaled += share;
    sums.scaledCount++;
  });
};

/** @returns a function that validates the present parameters; undefined without windows to validate on */
export const createValidation = (
  options: ValidateOptions,
): ((step: TrainingStep) => Promise<Validation>) | undefined => {
  const { plan, training, batchSize, season } = options;
  const windows = chosen(plan.validation);
  if (windows.length === 0) return undefined;
  const scales = windows.map(({ series, start }) =>
    seasonalError(plan.series[series]!.values, start, season),
  );
  return async (step) => {
    const sums: Sums = { loss: 0, windows: 0, scaled: 0, scaledCount: 0, pinball: 0, absolute: 0 };
    for (let at = 0; at < windows.length; at += batchSize) {
      const batch = cutWindows(plan, windows.slice(at, at + batchSize));
      const { loss, outputs } = await step.evaluate(lossFeeds(batch, training));
      const quantiles = outputs.quantiles!.data as Float32Array;
      const width = training.levels.length * training.horizon;
      for (let row = 0; row < batch.size; row++) {
        const label = batch.labels.subarray(row * batch.horizon, (row + 1) * batch.horizon);
        const own = quantiles.subarray(row * width, (row + 1) * width);
        addWindow(sums, { label, scale: scales[at + row]! }, own, training);
      }
      sums.loss += loss * batch.size;
      sums.windows += batch.size;
    }
    return {
      loss: sums.loss / sums.windows,
      ...(sums.scaledCount > 0 && { mase: sums.scaled / sums.scaledCount }),
      ...(sums.absolute > 0 && { crps: sums.pinball / sums.absolute }),
    };
  };
};
