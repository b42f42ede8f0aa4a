import { fc, test as property } from '@fast-check/vitest';
import type { Forecast } from '@tollama/core/forecast-response';
import { RECONCILE_METHODS, type ReconcileMethod } from '@tollama/core/series-requests';
import { describe, expect, test } from 'vitest';
import { normalFrom, uniformFrom } from '../generate/random.ts';
import { cholesky, solveWith } from './cholesky.ts';
import { structureOf } from './hierarchy.ts';
import { reconcileForecasts, violationsOf } from './reconcile.ts';
import { shrunkCovariance } from './shrinkage.ts';

const tree = { total: ['north', 'south'], north: ['a', 'b'], south: ['c'] };
const structure = structureOf({ tree });

const forecast = (id: string, mean: number[], quantiles?: Forecast['quantiles']): Forecast => ({
  id,
  freq: 'D',
  start_timestamp: '2024-01-01',
  mean,
  ...(quantiles && { quantiles }),
});

const meansOf = (all: readonly Forecast[]) =>
  Object.fromEntries(all.map(({ id, mean }) => [id, mean]));

describe('structure', () => {
  test('parents first; the leaves below each', () => {
    expect(structure).toEqual({
      ids: ['total', 'north', 'south', 'a', 'b', 'c'],
      leaves: ['a', 'b', 'c'],
      roots: ['total'],
      below: [[0, 1, 2], [0, 1], [2], [0], [1], [2]],
    });
  });

  test.each([
    [{}, 'empty'],
    [{ a: ['b'], b: ['a'] }, 'below itself'],
    [{ r: ['a'], a: ['b'], b: ['a'] }, 'below itself'],
    [{ r: ['a', 'a'] }, 'twice'],
    [{ r: ['x'], a: ['b'], b: ['a'] }, 'only below themselves'],
  ])('refuses %j', (bad, why) => {
    expect(() => structureOf({ tree: bad as Record<string, string[]> })).toThrow(why);
  });

  test('a series may be below two parents', () => {
    const both = structureOf({ tree: { x: ['a', 'b'], y: ['b', 'c'] } });
    expect(both.below).toEqual([[0, 1], [1, 2], [0], [1], [2]]);
  });
});

const base = (values: readonly number[]): Forecast[] =>
  structure.ids.map((id, i) => forecast(id, [values[i]!, 2 * values[i]!]));

const residuals = Object.fromEntries(
  structure.ids.map((id, i) => [id, Array.from({ length: 30 }, normalFrom(uniformFrom(i + 1)))]),
);

describe('reconcile', () => {
  test('bottom up adds the leaves; quantiles move along', () => {
    const all = [
      forecast('a', [1]),
      forecast('b', [2]),
      forecast('c', [3]),
      forecast('total', [10], { '0.1': [8], '0.9': [12] }),
      forecast('other', [7]),
    ];
    const { forecasts, warnings } = reconcileForecasts(all, structure, { method: 'bottom_up' });
    expect(meansOf(forecasts)).toEqual({
      total: [6],
      north: [3],
      south: [3],
      a: [1],
      b: [2],
      c: [3],
      other: [7],
    });
    expect(forecasts[0]!.quantiles).toEqual({ '0.1': [4], '0.9': [8] });
    expect(warnings).toEqual(['1 series outside of the hierarchy stay as they are']);
  });

  test('top down shares the total by the leaves, or as it is told', () => {
    const all = [
      forecast('total', [100]),
      forecast('a', [1]),
      forecast('b', [1]),
      forecast('c', [2]),
    ];
    const { forecasts } = reconcileForecasts(all, structure, { method: 'top_down' });
    expect(meansOf(forecasts)).toMatchObject({ north: [50], south: [50], a: [25], c: [50] });
    const proportions = { a: 0.5, b: 0.3, c: 0.2 };
    const told = reconcileForecasts(all, structure, { method: 'top_down', proportions });
    expect(meansOf(told.forecasts)).toMatchObject({ a: [50], b: [30], c: [20] });
  });

  test('ols by hand: the miss of 3 is shared out over three series', () => {
    const small = structureOf({ tree: { t: ['x', 'y'] } });
    const all = [forecast('t', [9]), forecast('x', [2]), forecast('y', [4])];
    const { forecasts } = reconcileForecasts(all, small, { method: 'ols' });
    const means = meansOf(forecasts);
    expect(means.t![0]).toBeCloseTo(8, 9);
    expect(means.x![0]).toBeCloseTo(3, 9);
    expect(means.y![0]).toBeCloseTo(5, 9);
  });

  test('MinT trusts the series that was met best', () => {
    const small = structureOf({ tree: { t: ['x', 'y'] } });
    const all = [forecast('t', [9]), forecast('x', [2]), forecast('y', [4])];
    const normal = normalFrom(uniformFrom(5));
    const errors = (size: number) => Array.from({ length: 200 }, () => size * normal());
    const own = { t: errors(0.01), x: errors(1), y: errors(1) };
    const { forecasts, reconciliation } = reconcileForecasts(all, small, {
      method: 'mint_shrink',
      residuals: own,
    });
    expect(meansOf(forecasts).t![0]).toBeCloseTo(9, 2);
    expect(reconciliation.method).toBe('mint_shrink');
    expect(reconciliation.shrinkage).toBeGreaterThan(0.5);
  });

  test('MinT without residuals weighs by leaves and says so', () => {
    const { reconciliation, warnings } = reconcileForecasts(base([6, 3, 3, 1, 2, 3]), structure, {
      method: 'mint_shrink',
    });
    expect(reconciliation.method).toBe('wls_struct');
    expect(warnings[0]).toContain('mint_shrink needs residuals');
  });

  property.prop([
    fc.array(fc.double({ min: 1, max: 1e6, noNaN: true }), { minLength: 6, maxLength: 6 }),
    fc.constantFrom(...RECONCILE_METHODS),
  ])('whatever came in, it adds up after, and coherent forecasts stay', (values, method) => {
    const choice = { method, residuals };
    const { forecasts } = reconcileForecasts(base(values), structure, choice);
    expect(violationsOf(forecasts, structure)).toEqual([]);
    const again = reconcileForecasts(forecasts, structure, choice).forecasts;
    again.forEach(({ mean }, i) => {
      mean.forEach((value, step) => {
        expect(Math.abs(value - forecasts[i]!.mean[step]!)).toBeLessThanOrEqual(
          1e-6 * Math.max(...values),
        );
      });
    });
  });

  test.each([
    ['ols', 'ols needs forecasts of'],
    ['top_down', 'top_down needs forecasts of'],
    ['bottom_up', "bottom_up needs forecasts of 'c'"],
  ] as [ReconcileMethod, string][])('%s names what is missing', (method, why) => {
    const some = [forecast('a', [1]), forecast('b', [1])];
    expect(() => reconcileForecasts(some, structure, { method })).toThrow(why);
  });

  test('what does not add up is told', () => {
    expect(violationsOf(base([7, 3, 3, 1, 2, 3]), structure)).toEqual([
      "'total' is 7 at step 1, its leaves sum to 6",
    ]);
  });
});

describe('linear algebra', () => {
  test('solves, and refuses what is not positive definite', () => {
    const factor = cholesky([Float64Array.of(4, 2), Float64Array.of(2, 3)])!;
    const x = solveWith(factor, [2, 1]);
    expect([x[0]!, x[1]!].map((value) => Math.round(value * 1e9) / 1e9)).toEqual([0.5, 0]);
    expect(cholesky([Float64Array.of(1, 2), Float64Array.of(2, 1)])).toBeUndefined();
  });

  test('correlated errors are shrunk less than independent ones', () => {
    const normal = normalFrom(uniformFrom(9));
    const first = Array.from({ length: 100 }, normal);
    const twin = first.map((value) => value + 0.1 * normal());
    const other = Array.from({ length: 100 }, normal);
    expect(shrunkCovariance([first, twin]).intensity).toBeLessThan(0.05);
    expect(shrunkCovariance([first, other]).intensity).toBeGreaterThan(0.2);
  });
});
