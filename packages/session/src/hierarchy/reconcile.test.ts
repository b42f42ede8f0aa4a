import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { openHierarchy } from './hierarchy.ts';
import { multiply, solve } from './linear-solve.ts';
import { reconcile, shrunkCovariance } from './reconcile.ts';

const tree = openHierarchy({ total: ['north', 'south'], north: ['a', 'b'], south: ['c'] });

const forecastOf = (id: string, value: number) => ({
  id,
  mean: Float64Array.of(value, value),
  quantiles: [Float64Array.of(value - 1, value - 1), Float64Array.of(value + 1, value + 1)],
});

const errorsOf = (seed: number) =>
  Object.fromEntries(
    tree.ids.map((id, i) => [
      id,
      Float64Array.from({ length: 30 }, (_, t) => Math.sin(seed + t * (i + 1) * 1.7) * (i + 1)),
    ]),
  );

test('parents sum their leaves', () => {
  expect(tree.leaves).toEqual(['a', 'b', 'c']);
  expect(tree.summing.map((row) => [...row])).toEqual([
    [1, 1, 1],
    [1, 1, 0],
    [0, 0, 1],
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ]);
});

test.each([
  [{ a: ['b'], b: ['a'] }, /loop/],
  [{ a: ['x'], b: ['x'] }, /two parents/],
  [{ a: [] }, /no children/],
])('%j is no hierarchy', (spec, message) => {
  expect(() => openHierarchy(spec)).toThrow(message);
});

const values = fc.array(fc.double({ min: -50, max: 50, noNaN: true }), {
  minLength: 6,
  maxLength: 6,
});

describe('reconciled forecasts add up', () => {
  test.prop([values, fc.integer({ min: 0, max: 99 })])('whatever the base was', (base, seed) => {
    const forecasts = tree.ids.map((id, i) => forecastOf(id, base[i]!));
    for (const method of ['bottom_up', 'mint_shrink'] as const) {
      const done = reconcile(tree, forecasts, { method, errors: errorsOf(seed) });
      const mean = (id: string) => done.find((one) => one.id === id)!.mean[0]!;
      expect(mean('total')).toBeCloseTo(mean('a') + mean('b') + mean('c'), 6);
      expect(mean('north')).toBeCloseTo(mean('a') + mean('b'), 6);
      expect(mean('south')).toBeCloseTo(mean('c'), 6);
    }
  });
});

test('forecasts that add up stay as they are', () => {
  const coherent = { total: 6, north: 3, south: 3, a: 1, b: 2, c: 3 };
  const forecasts = Object.entries(coherent).map(([id, value]) => forecastOf(id, value));
  const done = reconcile(tree, forecasts, { method: 'mint_shrink', errors: errorsOf(1) });
  for (const { id, mean } of done) expect(mean[0]).toBeCloseTo(coherent[id as 'a'], 8);
});

test('from the leaves, parents need no forecast; independent distances add as squares', () => {
  const leaves = ['a', 'b', 'c'].map((id) => forecastOf(id, 1));
  const [total] = reconcile(tree, leaves, { method: 'bottom_up' });
  expect(total!.mean[0]).toBe(3);
  expect(total!.quantiles[1]![0]).toBeCloseTo(3 + Math.sqrt(3), 12);
});

test('a series without a forecast or errors is named', () => {
  const leaves = ['a', 'b'].map((id) => forecastOf(id, 1));
  expect(() => reconcile(tree, leaves, { method: 'bottom_up' })).toThrow(/'c' has no forecast/);
  const all = tree.ids.map((id) => forecastOf(id, 1));
  expect(() => reconcile(tree, all, { method: 'mint_shrink' })).toThrow(/no past errors/);
});

test('a solved system gives its right side back', () => {
  const a = [Float64Array.of(4, 1), Float64Array.of(1, 3)];
  const x = solve(a, [Float64Array.of(1), Float64Array.of(2)]);
  expect(multiply(a, x).map((row) => row[0])).toEqual([
    expect.closeTo(1, 12),
    expect.closeTo(2, 12),
  ]);
});

test('shrinkage keeps variances', () => {
  const errors = [Float64Array.of(1, -1, 2, -2), Float64Array.of(3, 1, -3, -1)];
  const covariance = shrunkCovariance(errors);
  expect(covariance[0]![0]).toBeCloseTo(2.5, 12);
  expect(covariance[1]![1]).toBeCloseTo(5, 12);
  expect(Math.abs(covariance[0]![1]!)).toBeLessThanOrEqual(1);
});
