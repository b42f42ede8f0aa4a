import { describe, expect, test } from 'vitest';
import { patchStatistics } from './patch-scaler.ts';

describe('patchStatistics', () => {
  const values = Float32Array.of(1, 3, 100, 5, 7, 9, 0, 0);
  const observed = Uint8Array.of(1, 1, 0, 1, 1, 1, 0, 0);

  test('each patch has mean and deviation of all before its end', () => {
    const { loc, scale } = patchStatistics(values, observed, 2);
    expect([...loc]).toEqual([2, 3, 5, 5]);
    expect(scale[0]).toBeCloseTo(Math.SQRT2, 6);
    expect(scale[1]).toBe(2);
    expect(scale[2]).toBeCloseTo(Math.sqrt(10), 6);
    expect(scale[3]).toBe(scale[2]);
  });

  test('a constant or empty start has the smallest scale', () => {
    const { loc, scale } = patchStatistics(
      Float32Array.of(5, 5, 5, 5),
      Uint8Array.of(0, 0, 1, 1),
      2,
    );
    expect([...loc]).toEqual([0, 5]);
    expect([...scale]).toEqual([Math.fround(1e-6), Math.fround(1e-6)]);
  });

  test('patches before enough values take the first values of the row', () => {
    const { loc, scale } = patchStatistics(values, observed, 2, 4);
    expect([...loc]).toEqual([4, 4, 5, 5]);
    expect(scale[0]).toBeCloseTo(Math.sqrt(20 / 3), 6);
    expect(scale[1]).toBe(scale[0]);
    expect(scale[2]).toBeCloseTo(Math.sqrt(10), 6);
  });

  test('a row that never has enough takes what there is', () => {
    const { loc, scale } = patchStatistics(
      Float32Array.of(4, 6, 0, 0),
      Uint8Array.of(1, 1, 0, 0),
      2,
      8,
    );
    expect([...loc]).toEqual([5, 5]);
    expect(scale[1]).toBeCloseTo(Math.SQRT2, 6);
    expect([...patchStatistics(Float32Array.of(4, 6), Uint8Array.of(0, 0), 2, 8).loc]).toEqual([0]);
  });
});
