/** Calls of the model, in plain arrays. */
import { TollamaError } from '@tollama/core/errors';
import type { RunGraph } from '../../family.ts';
import { leastForecast, type PatchTstConfig, quantileLevels } from './config.ts';
import { feedsOf, type PatchTstRow, placementOf } from './feeds.ts';

export type { PatchTstRow } from './feeds.ts';

export interface PatchTstCall {
  readonly rows: readonly PatchTstRow[];
  readonly horizon: number;
  /** Patches further apart do not see each other. */
  readonly attentionWindow?: number | undefined;
  /**
   * Whether the patches in front of a series are left out, as the reference does for a tensor but not for
   * a list of series (default). Transformers forecast the same up to rounding, conformers do not.
   */
  readonly isPruned?: boolean;
}

export interface PatchTstForecast {
  /** [levels][horizon] */
  readonly quantiles: readonly Float32Array[];
  /** The integral of the quantile function [horizon]. */
  readonly mean: Float64Array;
}

/** Steps that the network is made to forecast. */
const forecastSteps = (c: PatchTstConfig, horizon: number): number => {
  const steps = Math.max(horizon, leastForecast(c));
  if (steps < c.context_length) return steps;
  throw new TollamaError(
    'INVALID_REQUEST',
    `horizon ${horizon} is beyond the ${c.context_length - 1} steps that patchtst-fm can forecast`,
  );
};

/** The integral of the quantile function: trapezoids between the levels, flat beyond them. */
const meanOf = (quantiles: readonly Float32Array[], levels: readonly number[]): Float64Array => {
  const last = levels.length - 1;
  const weights = levels.map(
    (level, i) =>
      ((levels[i + 1] ?? level) - (levels[i - 1] ?? level)) / 2 +
      (i === 0 ? level : 0) +
      (i === last ? 1 - level : 0),
  );
  return Float64Array.from(quantiles[0]!, (_, t) =>
    quantiles.reduce((sum, row, i) => sum + weights[i]! * row[t]!, 0),
  );
};

const readForecast = (
  data: Float32Array,
  b: number,
  total: number,
  steps: number,
  horizon: number,
  levels: readonly number[],
): PatchTstForecast => {
  const quantiles = levels.map((_, q) => {
    const end = (b * levels.length + q + 1) * total;
    return data.slice(end - steps, end - steps + horizon);
  });
  return { quantiles, mean: meanOf(quantiles, levels) };
};

/** A series without any value has no level to forecast at. */
const nothing = (horizon: number, levels: readonly number[]): PatchTstForecast => ({
  quantiles: levels.map(() => new Float32Array(horizon).fill(Number.NaN)),
  mean: new Float64Array(horizon).fill(Number.NaN),
});

const hasValue = (values: ArrayLike<number>): boolean => {
  for (let i = 0; i < values.length; i++) if (!Number.isNaN(values[i]!)) return true;
  return false;
};

/** In a list of series, the reference knows nothing of the steps that it does not use, not even their mean. */
const lastSteps = ({ values, observed, padded }: PatchTstRow, count: number): PatchTstRow => {
  const cut = (row: ArrayLike<number>): number[] => Array.from(row).slice(values.length - count);
  return {
    values: cut(values),
    observed: observed && cut(observed),
    padded: padded && cut(padded),
  };
};

/**
 * One call of the model, as the reference's `forward`: all levels of the config, and their mean.
 *
 * @throws TollamaError INVALID_REQUEST for a horizon that does not fit into the window
 */
export const callModel = async (
  run: RunGraph,
  c: PatchTstConfig,
  { rows, horizon, attentionWindow, isPruned = true }: PatchTstCall,
): Promise<PatchTstForecast[]> => {
  const steps = forecastSteps(c, horizon);
  const levels = quantileLevels(c);
  const placed = rows.map((row) => {
    const place = placementOf(row.values.length, steps, c, isPruned && c.use_pruning);
    return { row: isPruned ? row : lastSteps(row, place.used), place };
  });
  const forecasts: PatchTstForecast[] = rows.map(() => nothing(horizon, levels));
  const known = [...placed.keys()].filter((i) => hasValue(placed[i]!.row.values));
  for (const places of Map.groupBy(known, (i) => placed[i]!.place.skipped).values()) {
    const some = places.map((i) => placed[i]!);
    const { quantiles } = await run('forward', feedsOf(some, steps, c, attentionWindow));
    const total = quantiles!.dims[2]!;
    places.forEach((i, b) => {
      const data = quantiles!.data as Float32Array;
      forecasts[i] = readForecast(data, b, total, steps, horizon, levels);
    });
  }
  return forecasts;
};

/**
 * Places of levels among those of the config, which alone the model gives.
 *
 * @throws TollamaError INVALID_REQUEST for any other level
 */
export const levelPlaces = (c: PatchTstConfig, asked: readonly number[]): number[] => {
  const levels = quantileLevels(c);
  return asked.map((level) => {
    const place = levels.indexOf(level);
    if (place >= 0) return place;
    throw new TollamaError('INVALID_REQUEST', `quantile level ${level} is not one of the model's`, {
      hint: `it gives ${levels.join(', ')}`,
    });
  });
};
