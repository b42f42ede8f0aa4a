/** Several forecasts of the same series as one: averages at each level (Vincent's), by mean, median or weights. */
import { TollamaError } from '@tollama/core/errors';
import type { SeriesForecast } from '../backend/backend.ts';

export type AverageMethod = 'mean' | 'median';

const checkShapes = (members: readonly SeriesForecast[]): void => {
  const [first] = members;
  if (!first) throw new TollamaError('INVALID_REQUEST', 'there is no forecast to combine');
  for (const { id, mean, quantiles } of members) {
    if (mean.length === first.mean.length && quantiles.length === first.quantiles.length) continue;
    throw new TollamaError('INVALID_REQUEST', `forecasts of '${id}' differ in steps or levels`, {
      hint: 'ask all models for the same horizon and levels; leave out models that give points only',
    });
  }
};

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

const weighted = (values: readonly number[], weights: readonly number[]): number =>
  values.reduce((sum, value, m) => sum + value * weights[m]!, 0);

const equal = (count: number): number[] => Array.from({ length: count }, () => 1 / count);

/** Rows made to not descend in the level: averages of crossed quantiles may cross. */
export const sortLevels = (quantiles: readonly Float64Array[]): Float64Array[] => {
  const rows = quantiles.map((row) => row.slice());
  const column = new Float64Array(rows.length);
  for (let h = 0; h < (rows[0]?.length ?? 0); h++) {
    rows.forEach((row, l) => {
      column[l] = row[h]!;
    });
    column.sort();
    rows.forEach((row, l) => {
      row[h] = column[l]!;
    });
  }
  return rows;
};

/**
 * Combines forecasts of one series, level by level. `how`: mean, median, or one weight for each member.
 *
 * @throws TollamaError INVALID_REQUEST for members of different shapes
 */
export const averageForecasts = (
  members: readonly SeriesForecast[],
  how: AverageMethod | readonly number[] = 'mean',
): SeriesForecast => {
  checkShapes(members);
  const weights = how === 'mean' || how === 'median' ? equal(members.length) : how;
  const join = (values: readonly number[]): number =>
    how === 'median' ? median(values) : weighted(values, weights);
  const joinRows = (rows: readonly Float64Array[]): Float64Array =>
    rows[0]!.map((_, h) => join(rows.map((row) => row[h]!)));
  const [first] = members;
  return {
    id: first!.id,
    mean: joinRows(members.map(({ mean }) => mean)),
    quantiles: sortLevels(
      first!.quantiles.map((_, l) => joinRows(members.map(({ quantiles }) => quantiles[l]!))),
    ),
  };
};
