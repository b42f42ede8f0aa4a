import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { resampled, resamplingRate } from './resample.ts';
import { magnitudes } from './spectrum.ts';

const wave = (length: number, period: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => 10 + Math.sin((2 * Math.PI * i) / period));

describe('magnitudes', () => {
  test('are those of the sum that defines the transform', () => {
    const rows = fc.array(fc.double({ min: -10, max: 10, noNaN: true }), {
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(rows, (values) => {
        magnitudes(values).forEach((got, k) => {
          let [re, im] = [0, 0];
          values.forEach((value, i) => {
            re += value * Math.cos((2 * Math.PI * k * i) / values.length);
            im -= value * Math.sin((2 * Math.PI * k * i) / values.length);
          });
          expect(got).toBeCloseTo(Math.hypot(re, im), 8);
        });
      }),
    );
  });
});

describe('resamplingRate', () => {
  test('brings a long season near 64 points', () => {
    expect(resamplingRate(wave(3000, 130), 100)).toBe(0.5);
    expect(resamplingRate(wave(3000, 320), 100)).toBe(Math.fround(1 / 5));
  });

  test('leaves short seasons, short series and short horizons as they are', () => {
    expect(resamplingRate(wave(3000, 24), 100)).toBe(1);
    expect(resamplingRate(wave(1999, 320), 100)).toBe(1);
    expect(resamplingRate(wave(3000, 320), 99)).toBe(1);
    expect(resamplingRate(new Float32Array(3000), 100)).toBe(1);
    expect(resamplingRate(new Float32Array(3000).fill(Number.NaN), 100)).toBe(1);
  });

  test('reads across gaps', () => {
    const row = wave(3000, 320).map((value, i) => (i % 7 === 3 ? Number.NaN : value));
    expect(resamplingRate(row, 100)).toBe(Math.fround(1 / 5));
  });
});

describe('resampled', () => {
  test('averages what is there', () => {
    const row = Float32Array.of(1, 3, Number.NaN, 5, 7, 9);
    expect(resampled(row, 0.5)).toEqual(Float32Array.of(2, 5, 8));
    expect(resampled(new Float32Array(4).fill(Number.NaN), 0.5)).toEqual(
      new Float32Array(2).fill(Number.NaN),
    );
  });

  test('draws straight lines, and NaN where an end is missing', () => {
    expect(resampled(Float32Array.of(0, 2), 1.5)).toEqual(Float32Array.of(0, 1, 2));
    expect(resampled(Float32Array.of(0, Number.NaN), 1.5)[1]).toBeNaN();
  });
});
