/** What exogenous rows explain of one window's history, and what they add over its horizon. */
import type { CovariateValues } from '@tollama/core/series';
import type { Panel } from './panel.ts';
import { encodeWords, regress } from './regression.ts';
import type { Span } from './span.ts';

export interface CleanedWindow {
  /** The history without what the rows explain beyond their means. */
  readonly target: Float64Array;
  /** The rows as numbers. [rows][history] */
  readonly columns: readonly Float64Array[];
  /** What row `row` adds where it has these values: numbers, or its own words. */
  effect(row: number, values: CovariateValues | readonly number[]): Float64Array;
  /** Size of each row's part in the history, in units of the series. [rows] */
  readonly weights: Float64Array;
}

export const cleanWindow = (panel: Panel, { from, end }: Span): CleanedWindow => {
  const target = panel.values.slice(from, end);
  const encoders = panel.rows.map((row) =>
    row.kind === 'words' ? encodeWords(target, row.past.slice(from, end)) : undefined,
  );
  const columns = panel.rows.map((row, r) =>
    row.kind === 'words'
      ? Float64Array.from(row.past.slice(from, end), (word) => encoders[r]!(word))
      : row.past.slice(from, end),
  );
  const { slopes, means, deviations } = regress(target, columns);
  const cleaned = target.slice();
  columns.forEach((column, r) => {
    if (slopes[r] === 0) return;
    for (let i = 0; i < cleaned.length; i++) cleaned[i]! -= slopes[r]! * (column[i]! - means[r]!);
  });
  return {
    target: cleaned,
    columns,
    weights: slopes.map((slope, r) => Math.abs(slope) * deviations[r]!),
    effect: (row, values) =>
      Float64Array.from(values as readonly (number | string)[], (value) => {
        const number = typeof value === 'string' ? encoders[row]!(value) : value;
        return slopes[row]! * (number - means[row]!);
      }),
  };
};
