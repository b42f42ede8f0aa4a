import { RepairOptions } from '@tollama/core/ingest-options';
import { describe, expect, test } from 'vitest';
import { impute } from './impute.ts';
import { repairGaps } from './repair-gaps.ts';
import type { InputSeries } from './series-objects.ts';
import { cubicSpline } from './spline.ts';

const NAN = Number.NaN;

const series = (timestamps: string[], target: number[], more: Partial<InputSeries> = {}) => ({
  id: 's',
  freq: 'D',
  timestamps,
  target,
  covariates: {},
  futureCovariates: {},
  staticCovariates: {},
  actuals: undefined,
  ...more,
});
const options = (fields: object = {}) => RepairOptions.parse({ enabled: true, ...fields });
const days = (...list: number[]) => list.map((day) => `2024-01-${String(day).padStart(2, '0')}`);

describe('impute', () => {
  test('linear within, nearest at the ends', () => {
    const { values } = impute(Float64Array.of(NAN, 1, NAN, NAN, 4, NAN), 'linear', undefined);
    expect([...values]).toEqual([1, 1, 2, 3, 4, 4]);
  });

  test('seasonal gaps get the value of their phase', () => {
    const wave = [0, 5, 0, -5];
    const truth = Float64Array.from({ length: 40 }, (_, i) => i / 10 + wave[i % 4]!);
    const holed = truth.slice();
    for (const i of [9, 10, 11, 22]) holed[i] = NAN;
    const { values, used } = impute(holed, 'auto', 4);
    expect(used).toBe('seasonal');
    expect(Math.max(...values.map((value, i) => Math.abs(value - truth[i]!)))).toBeLessThan(0.5);
  });

  test('a spline follows a smooth curve closer than a line', () => {
    const truth = Float64Array.from({ length: 30 }, (_, i) => Math.sin(i / 4));
    const holed = truth.map((value, i) => (i % 5 === 2 || i % 5 === 3 ? NAN : value));
    const error = (method: 'bspline' | 'linear') =>
      Math.max(...impute(holed, method, undefined).values.map((v, i) => Math.abs(v - truth[i]!)));
    expect(error('bspline')).toBeLessThan(error('linear') / 2);
  });

  test('what is not possible falls back to linear and says so', () => {
    expect(impute(Float64Array.of(1, NAN, 3), 'bspline', undefined)).toMatchObject({
      used: 'linear',
      warnings: ['2 known values are too few for bspline; linear is used'],
    });
    expect(impute(Float64Array.of(1, NAN, 3), 'seasonal', 7).used).toBe('linear');
  });

  test('a spline goes through its points and is a line where they are', () => {
    const curve = cubicSpline([0, 1, 3, 4], [0, 2, 6, 8]);
    expect([0, 0.5, 1, 2, 3.5, 4].map(curve)).toEqual([0, 1, 2, 4, 7, 8]);
  });
});

describe('repairGaps', () => {
  test('inserts missing days, fills missing values, reports both', () => {
    const { series: fixed, report } = repairGaps(
      series(days(1, 2, 4, 5, 6, 7, 8), [1, 2, 4, NAN, 6, 7, 8], {
        covariates: { price: [1, 1, 3, 3, 3, 3, 3], kind: ['a', 'b', 'b', 'b', 'b', 'c', 'c'] },
      }),
      options(),
    );
    expect(fixed.timestamps).toEqual(days(1, 2, 3, 4, 5, 6, 7, 8));
    expect(fixed.target).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(fixed.covariates.price).toEqual([1, 1, 2, 3, 3, 3, 3, 3]);
    expect(fixed.covariates.kind).toEqual(['a', 'b', 'b', 'b', 'b', 'b', 'c', 'c']);
    expect(report).toEqual({
      id: 's',
      original_row_count: 7,
      regularized_row_count: 8,
      raw_null_target_count: 1,
      missing_timestamp_count: 1,
      imputed_point_count: 2,
      max_gap: 1,
      missing_ratio: 0.25,
      requested_method: 'auto',
      used_method: 'linear',
      warnings: null,
    });
  });

  test('month ends are a grid too; the frequency is found when it is auto', () => {
    const months = ['2024-01-31', '2024-02-29', '2024-04-30', '2024-05-31', '2024-06-30'];
    const { series: fixed } = repairGaps(
      series(months, [1, 2, 4, 5, 6], { freq: 'ME' }),
      options(),
    );
    expect(fixed.timestamps[2]).toBe('2024-03-31');
    const auto = series(days(1, 2, 3, 4, 5, 6, 7, 9, 10, 11), [1, 2, 3, 4, 5, 6, 7, 9, 10, 11], {
      freq: 'auto',
    });
    expect(repairGaps(auto, options()).series).toMatchObject({ freq: 'D', target: { length: 11 } });
  });

  test('nothing missing is nothing done', () => {
    const { series: same, report } = repairGaps(series(days(1, 2, 3), [1, 2, 3]), options());
    expect(same.target).toEqual([1, 2, 3]);
    expect(report).toMatchObject({ used_method: 'none', imputed_point_count: 0 });
  });

  test.each([
    ['too much missing', days(1, 2, 3, 4), [1, NAN, NAN, 4], {}, 'max_missing_ratio 0.3'],
    [
      'too long a gap',
      days(1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
      [1, NAN, NAN, 4, 5, 6, 7, 8, 9, 10],
      { max_gap: 1 },
      'max_gap 1',
    ],
    ['missing ends', days(1, 2, 3, 4), [NAN, 2, 3, 4], { edge_strategy: 'reject' }, 'at the ends'],
    [
      'off the grid',
      ['2024-01-01', '2024-01-02', '2024-01-02 12:00', '2024-01-03'],
      [1, 2, 3, 4],
      {},
      "'2024-01-02 12:00'",
    ],
    ['days far away', days(1, 2, 28), [1, 2, 3], {}, 'of the timestamps are missing'],
  ])('refuses %s', (_, timestamps, target, fields, named) => {
    expect(() => repairGaps(series(timestamps, target), options(fields))).toThrow(named);
  });
});
