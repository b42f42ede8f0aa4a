import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Fans, iqrWeighted, iqrWeights, linearPool, vincentize } from './aggregation.ts';
import { isotonic } from './isotonic.ts';

const LEVELS = [0.1, 0.25, 0.5, 0.75, 0.9];
const value = fc.double({ min: -100, max: 100, noNaN: true });
/** Levels well apart: where fans are a hair wide, the softmax of their inverses feels any rounding. */
const fan = fc
  .tuple(
    value,
    fc.array(fc.double({ min: 0.1, max: 50, noNaN: true }), { minLength: 5, maxLength: 5 }),
  )
  .map(([base, steps]) => steps.map((_, i) => steps.slice(0, i).reduce((a, b) => a + b, base)));
const fans: fc.Arbitrary<Fans> = fc.array(fan, { minLength: 1, maxLength: 5 });
const messy: fc.Arbitrary<Fans> = fc.array(
  fc.array(value, { minLength: LEVELS.length, maxLength: LEVELS.length }),
  { minLength: 1, maxLength: 5 },
);
const equal = (some: Fans): number[] => some.map(() => 1 / some.length);

const METHODS: readonly [string, (some: Fans) => number[]][] = [
  ['linear pool', (some) => linearPool(some, LEVELS)],
  ['weighted linear pool', (some) => linearPool(some, LEVELS, equal(some))],
  ['median of the models', (some) => vincentize(some)],
  ['mean of the models', (some) => vincentize(some, 'mean')],
  ['weighted median of the models', (some) => vincentize(some, 'median', equal(some))],
  ['weights by width', (some) => iqrWeighted(some, LEVELS)],
];

const expectClose = (got: readonly number[], want: readonly number[]): void => {
  expect(got.length).toBe(want.length);
  got.forEach((x, i) => {
    expect(x).toBeCloseTo(want[i]!, 6);
  });
};

describe.each(METHODS)('%s', (_, combine) => {
  test('gives quantiles in order, between the least and the largest', () => {
    fc.assert(
      fc.property(messy, (some) => {
        const combined = combine(some);
        expect(combined).toEqual(combined.toSorted((a, b) => a - b));
        const all = some.flatMap((one) => Array.from(one));
        expect(combined[0]).toBeGreaterThanOrEqual(Math.min(...all) - 1e-9);
        expect(combined.at(-1)).toBeLessThanOrEqual(Math.max(...all) + 1e-9);
      }),
    );
  });

  test('does not depend on the order of the models', () => {
    fc.assert(
      fc.property(fans, (some) => {
        expectClose(combine(some.toReversed()), combine(some));
      }),
    );
  });

  test('shifts with the models', () => {
    fc.assert(
      fc.property(fans, value, (some, by) => {
        const moved = some.map((one) => Array.from(one, (x) => x + by));
        const shifted = combine(moved).map((x) => x - by);
        expectClose(shifted, combine(some));
      }),
    );
  });
});

test('vincentization and weights by width keep what all models agree on', () => {
  fc.assert(
    fc.property(fan, fc.integer({ min: 1, max: 5 }), (one, count) => {
      const some = Array.from({ length: count }, () => one);
      expectClose(vincentize(some), one);
      expectClose(vincentize(some, 'mean'), one);
      expectClose(iqrWeighted(some, LEVELS), one);
    }),
  );
});

test('a missing quantile is missing in the unweighted pool and stays in its place elsewhere', () => {
  const some = [
    [1, 2, 3, 4, 5],
    [Number.NaN, 2, 3, 4, 5],
  ];
  expect(linearPool(some, [0.5])).toEqual([Number.NaN]);
  expect(vincentize(some).slice(1)).toEqual([2, 3, 4, 5]);
});

describe('weights by width', () => {
  test('sum to 1, respect the cap, and favour the narrow', () => {
    fc.assert(
      fc.property(fans, fc.double({ min: 0, max: 1, noNaN: true }), (some, share) => {
        const least = 1 / some.length;
        const maxWeight = least + share * (1 - least);
        const weights = iqrWeights(some, LEVELS, { maxWeight });
        expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 6);
        for (const weight of weights) expect(weight).toBeLessThanOrEqual(maxWeight + 1e-9);
      }),
    );
    const [narrow, wide] = iqrWeights(
      [
        [0, 1, 2, 3, 4],
        [0, 2, 4, 6, 8],
      ],
      LEVELS,
    );
    expect(narrow).toBeGreaterThan(wide!);
  });

  test('a prior of 0 excludes a model, also from what the cap frees', () => {
    const some = [
      [0, 1, 2, 3, 4],
      [0, 2, 4, 6, 8],
      [0, 0.1, 0.2, 0.3, 0.4],
    ];
    const weights = iqrWeights(some, LEVELS, { maxWeight: 0.6 }, [0.5, 0.5, 0]);
    expect(weights[2]).toBe(0);
    expect(weights[0]).toBeLessThanOrEqual(0.6);
  });
});

describe('isotonic regression', () => {
  test('ascends, keeps the mean, and leaves ascending values alone', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 12 }), (values) => {
        const found = Array.from(isotonic(values));
        expect(found).toEqual(found.toSorted((a, b) => a - b));
        const sum = (list: readonly number[]) => list.reduce((a, b) => a + b, 0);
        expect(sum(found)).toBeCloseTo(sum(values), 6);
        expect(Array.from(isotonic(found))).toEqual(found);
      }),
    );
  });

  test('pools neighbours in the wrong order', () => {
    expect(Array.from(isotonic([1, 3, 2, 4, 0]))).toEqual([1, 2.25, 2.25, 2.25, 2.25]);
  });
});
