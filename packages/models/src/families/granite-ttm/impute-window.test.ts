import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IMPUTE_METHODS, imputed } from './impute-window.ts';
import { rangeOf, restored } from './standard-scaler.ts';

const gap = Number.NaN;

test.each([
  ['fill', [gap, 1, gap, 3, gap], [gap, 1, gap, 3, gap]],
  ['forward_fill', [gap, 1, gap, 3, gap], [gap, 1, 1, 3, 3]],
  ['linear', [gap, 1, gap, gap, 4, gap], [1, 1, 2, 3, 4, 4]],
  ['linear', [gap, gap], [gap, gap]],
  ['forward_fill', [gap, gap], [gap, gap]],
] as const)('%s of %j is %j', (method, row, want) => {
  expect(Array.from(imputed(Float32Array.from(row), method))).toEqual(want);
});

test('what is known stays as it is, whatever the method', () => {
  const value = fc.oneof(fc.float({ noNaN: true }), fc.constant(Number.NaN));
  fc.assert(
    fc.property(fc.array(value), fc.constantFrom(...IMPUTE_METHODS), (values, method) => {
      const row = Float32Array.from(values);
      const filled = imputed(row, method);
      expect(filled.length).toBe(row.length);
      row.forEach((known, i) => {
        if (!Number.isNaN(known)) expect(filled[i]).toBe(known);
      });
    }),
  );
});

test('the range of a row takes it between 0 and 1, and back', () => {
  const scaler = rangeOf([4, Number.NaN, 2, 6]);
  expect(scaler).toEqual({ mean: 2, deviation: 4 });
  expect(Array.from(restored([0, 0.5, 1], scaler))).toEqual([2, 4, 6]);
  expect(rangeOf([3, 3])).toEqual({ mean: 3, deviation: 1 });
  expect(rangeOf([Number.NaN])).toEqual({ mean: 0, deviation: 1 });
});
