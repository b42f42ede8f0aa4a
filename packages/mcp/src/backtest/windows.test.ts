import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rollingWindows } from './windows.ts';

const series = (length: number) => ({
  id: 's',
  freq: 'D',
  timestamps: Array.from({ length }, (_, i) => `t${i}`),
  target: Array.from({ length }, (_, i) => i),
});

describe('rolling windows', () => {
  test('know what came before, and end with the series', () => {
    fc.assert(
      fc.property(
        fc.record({
          horizon: fc.integer({ min: 1, max: 10 }),
          windows: fc.integer({ min: 1, max: 6 }),
          step: fc.integer({ min: 1, max: 10 }),
          history: fc.integer({ min: 2, max: 30 }),
        }),
        ({ horizon, windows, step, history }) => {
          const length = history + horizon + (windows - 1) * step;
          const found = rollingWindows([series(length)], { horizon, windows, step });
          expect(found).toHaveLength(windows);
          for (const { origin, history: known, actual, past } of found) {
            expect(known.target).toEqual(series(origin).target);
            expect(known.timestamps).toHaveLength(origin);
            expect(past).toHaveLength(origin);
            expect(actual).toEqual(Array.from({ length: horizon }, (_, h) => origin + h));
          }
          expect(found.at(-1)!.origin + horizon).toBe(length);
        },
      ),
    );
  });

  test('hide missing values and carry covariates that are known ahead', () => {
    const one = {
      ...series(10),
      missing_indices: [1, 8],
      past_covariates: { price: series(10).target, noise: series(10).target },
      future_covariates: { price: [10, 11] },
    };
    const [window] = rollingWindows([one], { horizon: 2, windows: 1, step: 2 });
    expect(window!.actual).toEqual([Number.NaN, 9]);
    expect(window!.past[1]).toBeNaN();
    expect(window!.history).toMatchObject({
      missing_indices: [1],
      past_covariates: { price: series(8).target, noise: series(8).target },
      future_covariates: { price: [8, 9] },
    });
    expect(window!.history.future_covariates).not.toHaveProperty('noise');
  });

  test('refuse a series that is too short', () => {
    const options = { horizon: 3, windows: 3, step: 3 };
    expect(() => rollingWindows([series(10)], options)).toThrow('too few for 3 windows of 3 steps');
  });
});
