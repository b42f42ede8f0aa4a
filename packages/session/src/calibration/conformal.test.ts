import { expect, test } from 'vitest';
import { applyConformal, errorScale, fitConformal } from './conformal.ts';

const LEVELS = [0.1, 0.5, 0.9];
const forecast = (id: string) => ({
  id,
  mean: Float64Array.of(0, 0),
  quantiles: LEVELS.map((level) => Float64Array.of(level - 0.5, level - 0.5)),
});

/** Outcomes that are spread ten times as wide as was forecast. */
const cases = Array.from({ length: 99 }, (_, i) => ({
  actual: [10 * ((i + 1) / 100 - 0.5), 20 * ((i + 1) / 100 - 0.5)],
  forecast: forecast(String(i)),
}));

test('each level covers what it says, at each step', () => {
  const conformal = fitConformal(cases, LEVELS);
  const moved = applyConformal(conformal, forecast('new'));
  expect(conformal.counts).toEqual([99, 99]);
  for (const step of [0, 1]) {
    LEVELS.forEach((level, l) => {
      const below = cases.filter(({ actual }) => actual[step]! <= moved.quantiles[l]![step]!);
      expect(below.length / cases.length).toBeCloseTo(level, 1);
    });
  }
  expect(moved.quantiles[2]![1]).toBeCloseTo(2 * moved.quantiles[2]![0]!, 6);
});

test('offsets are in units of the scale, and later steps take the last', () => {
  const conformal = fitConformal(
    cases.map((one) => ({ ...one, scale: 10 })),
    LEVELS,
  );
  const long = {
    id: 'x',
    mean: new Float64Array(3),
    quantiles: LEVELS.map(() => new Float64Array(3)),
  };
  const moved = applyConformal(conformal, long, 10);
  expect(moved.quantiles[0]![2]).toBe(moved.quantiles[0]![1]);
  const same = applyConformal(fitConformal(cases, LEVELS), long);
  expect(moved.quantiles[0]![0]).toBeCloseTo(same.quantiles[0]![0]!, 12);
});

test('nothing known is refused; a flat history has the scale 1', () => {
  expect(() => fitConformal([], LEVELS)).toThrow(/no past forecast/);
  expect(errorScale([1, 1, 1])).toBe(1);
  expect(errorScale([1, 3, Number.NaN, 6, 9])).toBe(2.5);
});
