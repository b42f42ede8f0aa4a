/** Holding out the end of a series, and how far a forecast of it is off. */
import { TollamaError } from '@tollama/core/errors';
import type { InputSeries } from '@tollama/ingest/series-objects';

export interface HeldOut {
  readonly history: InputSeries;
  readonly actuals: readonly number[];
}

/** Cuts the last `horizon` points off. Throws INVALID_INPUT for a series that is too short. */
export const holdOut = (one: InputSeries, horizon: number): HeldOut => {
  const { id, target, timestamps } = one;
  if (target.length < 2 * horizon) {
    throw new TollamaError(
      'INVALID_INPUT',
      `series '${id}' has ${target.length} points, too few to hold out ${horizon}`,
      {
        hint: `use --horizon ${Math.max(1, Math.floor(target.length / 2))} or less`,
      },
    );
  }
  const keep = target.length - horizon;
  const cut = Object.entries(one.covariates).map(([name, values]) => [name, values.slice(0, keep)]);
  return {
    history: {
      ...one,
      target: target.slice(0, keep),
      timestamps: timestamps.slice(0, keep),
      covariates: Object.fromEntries(cut),
    },
    actuals: target.slice(keep),
  };
};

/** Mean |error| over the steps whose value is known. */
export const meanAbsoluteError = (
  forecast: readonly number[],
  actuals: readonly number[],
): number => {
  const errors = actuals
    .map((actual, h) => Math.abs(actual - forecast[h]!))
    .filter(Number.isFinite);
  return errors.reduce((sum, error) => sum + error, 0) / Math.max(1, errors.length);
};

/** Share of the known values that lie between two quantiles. */
export const coverage = (
  low: readonly number[],
  high: readonly number[],
  actuals: readonly number[],
): number => {
  const known = actuals
    .map((actual, h) => [actual, h] as const)
    .filter(([actual]) => Number.isFinite(actual));
  const inside = known.filter(([actual, h]) => actual >= low[h]! && actual <= high[h]!);
  return inside.length / Math.max(1, known.length);
};
