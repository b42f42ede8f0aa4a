/** Laws that the forecasts of univariate families obey, as properties over random series. */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { ModelSeries, TargetForecast } from '../family.ts';
import type { OpenModel } from '../open-model.ts';

export type Forecast = (
  rows: readonly ArrayLike<number>[],
  horizon: number,
  options?: Readonly<Record<string, unknown>>,
  /** What else is known of every series. */
  facts?: Partial<ModelSeries>,
) => Promise<readonly TargetForecast[]>;

/** Forecasts of plain rows. */
export const forecaster =
  (model: OpenModel, quantiles: readonly number[]): Forecast =>
  async (rows, horizon, options = {}, facts = {}) => {
    const series = rows.map((row, i) => ({ id: `s${i}`, targets: [row], ...facts }));
    const { forecasts } = await model.forecast({ series, horizon, quantiles, options });
    return forecasts.map(({ targets }) => targets[0]!);
  };

/** Element by element, within an absolute tolerance. */
export const expectClose = (
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  tolerance = 1e-3,
): void => {
  expect(got.length).toBe(want.length);
  Array.from(want).forEach((value, h) => {
    expect(Math.abs(got[h]! - value)).toBeLessThan(tolerance);
  });
};

/** Waves of 3 to `longest` points that move from their first step on, with points missing here and there. */
export const wavesWithGaps = (longest: number, gaps: number): fc.Arbitrary<Float64Array> =>
  fc
    .tuple(
      fc.integer({ min: 3, max: longest }),
      fc.double({ min: 0.5, max: 2, noNaN: true }),
      fc.double({ min: 1, max: 3, noNaN: true }),
      fc.array(fc.integer({ min: 2, max: longest - 1 }), { maxLength: gaps }),
    )
    .map(([length, step, size, missing]) =>
      Float64Array.from({ length }, (_, i) =>
        missing.includes(i) ? Number.NaN : size * Math.sin(step * i) + Math.cos(7 * i),
      ),
    );

/** Runs of a property: each is several forecasts. */
export const few = { numRuns: 12 };

export interface Law {
  readonly forecast: Forecast;
  readonly history: fc.Arbitrary<Float64Array>;
  readonly tolerance: number;
}

/** A batch of unequal lengths equals its series one by one, at every quantile. */
export const batchEqualsOneByOne = (
  { forecast, history, tolerance }: Law,
  horizon: fc.Arbitrary<number>,
): Promise<void> =>
  fc.assert(
    fc.asyncProperty(
      fc.array(history, { minLength: 2, maxLength: 4 }),
      horizon,
      async (rows, steps) => {
        const together = await forecast(rows, steps);
        for (const [i, row] of rows.entries()) {
          const [alone] = await forecast([row], steps);
          expectClose(together[i]!.mean, alone!.mean, tolerance);
          alone!.quantiles.forEach((quantile, q) => {
            expectClose(together[i]!.quantiles[q]!, quantile, tolerance);
          });
        }
      },
    ),
    few,
  );

/** A series times a factor of at least `least`, plus a level, has its forecast times the factor, plus the level. */
export const forecastMovesWithSeries = (
  { forecast, history, tolerance }: Law,
  least: number,
): Promise<void> =>
  fc.assert(
    fc.asyncProperty(
      history,
      fc.double({ min: least, max: 1000, noNaN: true }),
      fc.double({ min: -100, max: 100, noNaN: true }),
      async (row, factor, level) => {
        const [plain] = await forecast([row], 9);
        const [moved] = await forecast([row.map((value) => factor * value + level)], 9);
        const want = Array.from(plain!.mean, (value) => factor * value + level);
        expectClose(moved!.mean, want, tolerance * Math.max(1, factor, Math.abs(level)));
      },
    ),
    few,
  );
