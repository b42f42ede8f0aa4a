import { expect, test } from 'vitest';
import { judgeWindow, NORMAL_QUANTILES } from './anomalies.ts';
import type { Window } from './windows.ts';

const windowOf = (actual: readonly number[], past: readonly number[] = [1, 2, 3]): Window => ({
  place: 0,
  origin: past.length,
  history: { id: 's', freq: 'D', timestamps: past.map(String), target: [...past] },
  actual,
  past,
  season: 1,
});

const judge = (actual: readonly number[], [low, middle, high]: readonly [number, number, number]) =>
  judgeWindow(
    {
      window: windowOf(actual),
      mean: actual.map(() => middle),
      quantiles: new Map([
        [0.1, actual.map(() => low)],
        [0.5, actual.map(() => middle)],
        [0.9, actual.map(() => high)],
      ]),
    },
    NORMAL_QUANTILES[95],
  );

test('each side has its own spread', () => {
  const z = NORMAL_QUANTILES[80];
  const found = judge([10 + 3, 10 - 3], [10 - z, 10, 10 + 2 * z]);
  expect(found).toHaveLength(1);
  expect(found[0]).toMatchObject({ index: 4, value: 7, expected: 10 });
  expect(found[0]!.score).toBeCloseTo(3, 9);
  expect(found[0]!.low).toBeCloseTo(10 - NORMAL_QUANTILES[95], 9);
  expect(found[0]!.high).toBeCloseTo(10 + 2 * NORMAL_QUANTILES[95], 9);
});

test('a forecast without spread allows what it says, and scores stay finite', () => {
  expect(judge([5, Number.NaN], [5, 5, 5])).toEqual([]);
  const [jump] = judge([6], [5, 5, 5]);
  expect(jump!.score).toBeGreaterThan(1000);
  expect(Number.isFinite(jump!.score)).toBe(true);
  expect(judge([0], [0, 0, 0])).toEqual([]);
});
