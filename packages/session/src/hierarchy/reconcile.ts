/**
 * Forecasts that add up: from the leaves, or by minimal trace with a shrunk error covariance (Wickramasuriya,
 * Athanasopoulos and Hyndman 2019; shrinkage of Schaefer and Strimmer 2005).
 */
import { TollamaError } from '@tollama/core/errors';
import type { SeriesForecast } from '../backend/backend.ts';
import type { Hierarchy } from './hierarchy.ts';
import { type Matrix, multiply, solve, transpose } from './linear-solve.ts';

export type ReconcileMethod = 'bottom_up' | 'mint_shrink';

export interface ReconcileOptions {
  readonly method: ReconcileMethod;
  /** Past one-step errors by id, of equal length, oldest first; minimal trace needs them. */
  readonly errors?: Readonly<Record<string, ArrayLike<number>>>;
}

const inOrder = (
  { ids }: Hierarchy,
  forecasts: readonly SeriesForecast[],
  needed: readonly string[],
) => {
  const byId = new Map(forecasts.map((forecast) => [forecast.id, forecast]));
  const missing = needed.find((id) => !byId.has(id));
  if (missing !== undefined) {
    throw new TollamaError('INVALID_REQUEST', `the hierarchy's '${missing}' has no forecast`, {
      hint: 'forecast every series that the method needs',
    });
  }
  return ids.map((id) => byId.get(id));
};

const errorRows = ({ ids }: Hierarchy, errors: ReconcileOptions['errors']): Float64Array[] => {
  const rows = ids.map((id) => Float64Array.from(errors?.[id] ?? []));
  const [first] = rows;
  const odd = ids.find((_, i) => rows[i]!.length !== first!.length || rows[i]!.length < 2);
  if (odd !== undefined) {
    throw new TollamaError('INVALID_REQUEST', `'${odd}' has no past errors to reconcile by`, {
      hint: 'give at least two errors for each series, of the same steps; or use bottom_up',
    });
  }
  return rows;
};

const center = (row: Float64Array): Float64Array => {
  const mean = row.reduce((a, b) => a + b, 0) / row.length;
  return row.map((value) => value - mean);
};

/** Covariance of the errors, its correlations shrunk towards 0 by the optimal share. [series][series] */
export const shrunkCovariance = (errors: Matrix): Float64Array[] => {
  const rows = errors.map(center);
  const n = rows[0]!.length;
  const variances = rows.map((row) => row.reduce((sum, e) => sum + e * e, 0) / n);
  const floor = 1e-12 * Math.max(...variances, 1e-300);
  const scaled = rows.map((row, i) =>
    row.map((e) => e / Math.sqrt(Math.max(variances[i]!, floor))),
  );
  const correlations = scaled.map((a) =>
    Float64Array.from(scaled, (b) => a.reduce((sum, e, t) => sum + e * b[t]!, 0) / n),
  );
  let spread = 0;
  let squares = 0;
  for (let i = 0; i < rows.length; i++) {
    for (let j = 0; j < i; j++) {
      const r = correlations[i]![j]!;
      let variance = 0;
      for (let t = 0; t < n; t++) variance += (scaled[i]![t]! * scaled[j]![t]! - r) ** 2;
      spread += variance / (n * (n - 1));
      squares += r * r;
    }
  }
  const share = squares > 0 ? Math.min(1, Math.max(0, spread / squares)) : 1;
  return correlations.map((row, i) =>
    row.map((r, j) => {
      const size = Math.sqrt(Math.max(variances[i]!, floor) * Math.max(variances[j]!, floor));
      return (i === j ? 1 : (1 - share) * r) * size;
    }),
  );
};

/** Leaves from all base forecasts: (S' W^-1 S)^-1 S' W^-1. [leaves][ids] */
const minTraceWeights = ({ summing }: Hierarchy, covariance: Matrix): Float64Array[] => {
  const weighted = solve(covariance, summing);
  return solve(multiply(transpose(summing), weighted), transpose(weighted));
};

const bottomUpWeights = ({ ids, leaves }: Hierarchy): Float64Array[] =>
  leaves.map((leaf) => Float64Array.from(ids, (id) => (id === leaf ? 1 : 0)));

/**
 * Means that add up. Quantiles move along with their mean, so that they keep their distance to it; of series
 * that had no base forecast (parents, from the leaves) they are the distances of the leaves, as if independent.
 *
 * @throws TollamaError INVALID_REQUEST for a series or errors that the method needs and has not
 */
export const reconcile = (
  hierarchy: Hierarchy,
  forecasts: readonly SeriesForecast[],
  { method, errors }: ReconcileOptions,
): SeriesForecast[] => {
  const { ids, leaves, summing } = hierarchy;
  const isBottomUp = method === 'bottom_up';
  const base = inOrder(hierarchy, forecasts, isBottomUp ? leaves : ids);
  const horizon = base.find((one) => one !== undefined)!.mean.length;
  const weights = isBottomUp
    ? bottomUpWeights(hierarchy)
    : minTraceWeights(hierarchy, shrunkCovariance(errorRows(hierarchy, errors)));
  const means = multiply(
    summing,
    multiply(
      weights,
      base.map((one) => one?.mean ?? new Float64Array(horizon)),
    ),
  );
  const leafBase = leaves.map((leaf) => base[ids.indexOf(leaf)]!);
  return ids.map((id, i) => {
    const own = base[i];
    const mean = means[i]!;
    const distances = own
      ? own.quantiles.map((row) => row.map((value, h) => value - own.mean[h]!))
      : summedDistances(leafBase.filter((_, leaf) => summing[i]![leaf] === 1));
    return {
      id,
      mean,
      quantiles: distances.map((row) => row.map((value, h) => value + mean[h]!)),
    };
  });
};

/** Distances of independent parts add up as the roots of their squares, each side by itself. */
const summedDistances = (parts: readonly SeriesForecast[]): Float64Array[] =>
  (parts[0]?.quantiles ?? []).map((row, l) =>
    row.map((_, h) => {
      const sum = parts.reduce((total, { quantiles, mean }) => {
        const distance = quantiles[l]![h]! - mean[h]!;
        return total + Math.sign(distance) * distance * distance;
      }, 0);
      return Math.sign(sum) * Math.sqrt(Math.abs(sum));
    }),
  );
