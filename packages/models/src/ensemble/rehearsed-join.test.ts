import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { DECILES, type JoinMember, joinForecasts, joinOrigins } from './rehearsed-join.ts';

const fan = (center: (h: number) => number, horizon: number, spread = 1) =>
  DECILES.map((level) =>
    Float64Array.from({ length: horizon }, (_, h) => center(h) + spread * (level - 0.5)),
  );

/** Forecasts a line of slope 1 that is off by `off`. */
const member = (name: string, off: number, spread = 1, prior = 0.5): JoinMember => ({
  name,
  prior,
  forecast: async (past, horizon) => fan((h) => past.length + h + off, horizon, spread),
});

const line = Float64Array.from({ length: 100 }, (_, t) => t);

const weightsOf = ({ explanation }: { explanation: Readonly<Record<string, unknown>> }) =>
  (explanation.stretches as { weights: Record<string, number> }[])[0]!.weights;

describe('joinForecasts', () => {
  test('who was right in the past weighs more', async () => {
    const joined = await joinForecasts(line, 10, [member('right', 0), member('wrong', 5)]);
    expect(weightsOf(joined).right).toBeGreaterThan(0.7);
    expect(Math.abs(joined.deciles[4]![0]! - 100)).toBeLessThan(1.5);
  });

  test('without a past the prior decides', async () => {
    const members = [member('a', 0, 1, 0.75), member('b', 4, 1, 0.25)];
    const joined = await joinForecasts(line.subarray(0, 6), 10, members);
    expect(joined.explanation.origins).toBe(0);
    expect(weightsOf(joined)).toEqual({ a: 0.75, b: 0.25 });
    expect(joined.deciles[4]![0]).toBeCloseTo(6 + 1, 9);
  });

  test('a forecast that cannot be is left out', async () => {
    const wild: JoinMember = {
      name: 'wild',
      prior: 0.5,
      forecast: async (past, horizon) =>
        fan(() => (past.length === 100 ? 1e9 : past.length), horizon),
    };
    const joined = await joinForecasts(line, 5, [member('calm', 0), wild]);
    expect(weightsOf(joined)).toMatchObject({ calm: 1, wild: 0 });
  });

  test('a spread that was too wide is narrowed', async () => {
    const wide = await joinForecasts(line, 8, [member('wide', 0, 40)]);
    expect(wide.deciles[8]![0]! - wide.deciles[0]![0]!).toBeLessThan(0.8 * 40);
  });

  test.prop(
    [
      fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 2, maxLength: 60 }),
      fc.integer({ min: 1, max: 12 }),
    ],
    {
      numRuns: 30,
    },
  )('quantiles ascend, and one member alone keeps its median', async (values, horizon) => {
    const { deciles } = await joinForecasts(Float64Array.from(values), horizon, [member('a', 1)]);
    for (let h = 0; h < horizon; h++) {
      expect(deciles[4]![h]).toBeCloseTo(values.length + h + 1, 9);
      for (let q = 1; q < 9; q++)
        expect(deciles[q]![h]!).toBeGreaterThanOrEqual(deciles[q - 1]![h]!);
    }
  });

  test('a join without members is refused', async () => {
    await expect(joinForecasts(line, 3, [])).rejects.toMatchObject({ code: 'INTERNAL' });
  });
});

test('origins leave room for what they forecast', () => {
  const { origins, steps } = joinOrigins(100, 50, 3);
  expect(steps).toBe(25);
  expect(origins).toEqual([75, 62]);
  expect(joinOrigins(3, 5, 3).origins).toEqual([]);
});
