import { expect, test } from 'vitest';
import type { ModelSeries } from '../../family.ts';
import { itemsOf } from './rows.ts';

const series = (more: Partial<ModelSeries>): ModelSeries => ({
  id: 'shop',
  targets: [[1, 2, 3]],
  ...more,
});

test('rows are targets, past-only covariates, known-future covariates, by code point', () => {
  const [item] = itemsOf(
    [
      series({
        targets: [
          [1, 2, 3],
          [4, 5, 6],
        ],
        pastCovariates: { known: [7, 7, 7], b: [8, 8, 8], B: [9, 9, 9], planned: [0, 0, 0] },
        futureCovariates: { planned: [1, 2], known: [] },
      }),
    ],
    2,
  );
  expect(item!.targets).toBe(2);
  expect(item!.rows.map(({ context }) => context[0])).toEqual([1, 4, 9, 8, 7, 0]);
  expect(item!.rows.map(({ future }) => future.length)).toEqual([0, 0, 0, 0, 0, 2]);
});

test('numbers among which nulls lie stay numbers; a name that is words anywhere is words', () => {
  const numbers = [1, null, 3] as unknown as number[];
  const [first, second] = itemsOf(
    [
      series({ pastCovariates: { x: numbers, y: ['a', 'b', null] } }),
      series({ pastCovariates: { x: [1, 2, 3], y: [1, 2, 3] } }),
    ],
    1,
  );
  expect([...first!.rows[1]!.context]).toEqual([1, Number.NaN, 3]);
  // Each number is a word that occurs once, at the target of the same place.
  expect([...second!.rows[2]!.context]).toEqual([1.5, 2, 2.5]);
});

test.each([
  [{ pastCovariates: { x: [1, 2] } }, "series 'shop': past covariate 'x' has 2 values"],
  [{ futureCovariates: { x: [1] } }, "future covariate 'x' has no past values"],
  [
    { pastCovariates: { x: [1, 2, 3] }, futureCovariates: { x: [1, 2] } },
    "future covariate 'x' has 2 values, the horizon is 1",
  ],
  [
    { pastCovariates: { x: [1, 2, 3] }, futureCovariates: { x: ['a'] } },
    "covariate 'x' is numbers in the past and words in the future",
  ],
])('refuses covariates that do not fit: %#', (more, message) => {
  expect(() => itemsOf([series(more)], 1)).toThrow(message);
});
