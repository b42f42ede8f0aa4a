import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { croston, demandQuantile } from './croston.ts';
import { fourier, spectrumOf } from './fourier.ts';
import { observe, toHistory } from './history.ts';
import { movingAverage } from './moving-average.ts';
import { decompose } from './mstl.ts';
import { minimize } from './nelder-mead.ts';
import { simulator } from './simulate.ts';

const series = (n: number, at: (t: number) => number): Float64Array =>
  Float64Array.from({ length: n }, (_, t) => at(t));

const wave = (period: number, t: number): number => Math.sin((2 * Math.PI * t) / period);

describe('fourier', () => {
  it('equals the sum that defines it', () => {
    const { normal } = simulator(1);
    const values = series(16, normal);
    const real = values.slice();
    const imaginary = new Float64Array(16);
    fourier(real, imaginary);
    for (let k = 0; k < 16; k++) {
      let re = 0;
      let im = 0;
      values.forEach((value, t) => {
        re += value * Math.cos((2 * Math.PI * k * t) / 16);
        im -= value * Math.sin((2 * Math.PI * k * t) / 16);
      });
      expect(real[k]).toBeCloseTo(re, 10);
      expect(imaginary[k]).toBeCloseTo(im, 10);
    }
  });

  it('gives the autocorrelation', () => {
    const { correlation } = spectrumOf(Float64Array.of(1, -1, 1, -1, 1, -1));
    expect(correlation[1]).toBeCloseTo(-1, 10);
    expect(correlation[2]).toBeCloseTo(1, 10);
  });
});

describe('movingAverage', () => {
  it.each([3, 4, 7, 12])('keeps a line and removes a season of %i', (season) => {
    const trend = movingAverage(
      series(60, (t) => 2 * t + 5 + 9 * wave(season, t)),
      season,
    );
    for (let t = 0; t < 60; t++) expect(trend[t]).toBeCloseTo(2 * t + 5, 6);
  });
});

describe('decompose', () => {
  it('separates two seasons from a trend', () => {
    const n = 168 * 6;
    const values = series(n, (t) => 0.01 * t + 3 * wave(24, t) + 2 * wave(168, t));
    const { shapes, adjusted } = decompose(values, [24, 168]);
    expect(shapes.map(({ period }) => period)).toEqual([24, 168]);
    for (let t = 168; t < n - 168; t++) expect(Math.abs(adjusted[t]! - 0.01 * t)).toBeLessThan(0.3);
  });

  it('leaves series without two cycles alone', () => {
    const values = series(30, (t) => t);
    expect(decompose(values, [24])).toEqual({ shapes: [], adjusted: values });
  });
});

describe('minimize', () => {
  it('finds a minimum inside its box and at its wall', () => {
    const objective = ([x, y]: readonly number[]): number => (x! - 0.3) ** 2 + (y! - 2) ** 2;
    const box = { lower: [0, 0], upper: [1, 1] };
    const { point } = minimize(objective, [0.5, 0.5], box, 200);
    expect(point[0]).toBeCloseTo(0.3, 2);
    expect(point[1]).toBeCloseTo(1, 6);
  });
});

describe('observe', () => {
  it('cuts the ends and interpolates between', () => {
    const gap = Number.NaN;
    const { values, trailing, filled } = observe([gap, 1, gap, gap, 4, gap]);
    expect(Array.from(values)).toEqual([1, 2, 3, 4]);
    expect({ trailing, filled }).toEqual({ trailing: 1, filled: 2 });
  });

  test.prop([fc.array(fc.double({ min: -1e300, max: 1e300, noNaN: true }), { minLength: 1 })])(
    'histories are finite, and go back to the raw values',
    (any) => {
      // Below the normal numbers a scale is too coarse to go back by.
      const raw = any.map((x) => (Math.abs(x) < 1e-290 ? 0 : x));
      const { values, scale, shift } = toHistory(Float64Array.from(raw), []);
      const range = Math.max(...raw.map(Math.abs));
      values.forEach((value, t) => {
        expect(Number.isFinite(value)).toBe(true);
        expect(Math.abs(value * scale + shift - raw[t]!)).toBeLessThanOrEqual(1e-9 * range);
      });
    },
  );
});

describe('croston', () => {
  it('takes the quantiles of recent demand, zeros included', () => {
    const quantileAt = demandQuantile(Float64Array.of(0, 4, 0, 8), 0, 1);
    // Masses 1/4.5 each, and the share of zeros, 0.5, once more for 0.
    expect([0.5, 0.6, 0.77, 0.8].map(quantileAt)).toEqual([0, 4, 4, 8]);
  });

  it('forgets demand that ended', () => {
    const values = series(80, (t) => (t < 40 ? 5 : 0));
    const history = toHistory(values, []);
    const { quantile } = croston(history, 3);
    expect(quantile(0.9)[0]).toBeCloseTo(history.zero, 9);
  });
});
