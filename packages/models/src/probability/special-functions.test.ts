import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import {
  incompleteBeta,
  logBeta,
  logGamma,
  normalCdf,
  normalDensity,
} from './special-functions.ts';

const positive = fc.double({ min: 0.01, max: 300, noNaN: true });
const share = fc.double({ min: 0.001, max: 0.999, noNaN: true });
const beta = (x: number, a: number, b: number): number => incompleteBeta(x, a, b, logBeta(a, b));

describe('logGamma', () => {
  test.prop([positive])('climbs by its recurrence', (x) => {
    expect(logGamma(x + 1) - logGamma(x)).toBeCloseTo(Math.log(x), 9);
  });

  test('is known at a half and at whole numbers', () => {
    expect(logGamma(0.5)).toBeCloseTo(0.5 * Math.log(Math.PI), 12);
    expect(logGamma(1)).toBeCloseTo(0, 12);
    expect(logGamma(11)).toBeCloseTo(Math.log(3628800), 11);
  });
});

describe('incompleteBeta', () => {
  test.prop([share, positive])('is a power where one parameter is 1', (x, a) => {
    expect(beta(x, a, 1)).toBeCloseTo(x ** a, 10);
    expect(beta(x, 1, a)).toBeCloseTo(1 - (1 - x) ** a, 10);
  });

  test.prop([share, positive, positive])('mirrors', (x, a, b) => {
    expect(beta(x, a, b) + beta(1 - x, b, a)).toBeCloseTo(1, 10);
  });

  test.prop([share, positive, positive])('climbs by its recurrence (DLMF 8.17.20)', (x, a, b) => {
    const term = Math.exp(a * Math.log(x) + b * Math.log1p(-x) - logBeta(a, b)) / a;
    expect(beta(x, a, b) - beta(x, a + 1, b)).toBeCloseTo(term, 9);
  });
});

describe('normal distribution', () => {
  test('has its known values', () => {
    expect(normalCdf(0)).toBe(0.5);
    expect(normalCdf(1.959963984540054)).toBeCloseTo(0.975, 14);
    expect(normalCdf(-1)).toBeCloseTo(0.15865525393145707, 14);
    expect(normalCdf(-6) / 9.865876450376946e-10).toBeCloseTo(1, 10);
  });

  test.prop([fc.double({ min: -8, max: 8, noNaN: true })])('mirrors, and has its density', (x) => {
    expect(normalCdf(x) + normalCdf(-x)).toBeCloseTo(1, 13);
    const step = 1e-5;
    const slope = (normalCdf(x + step) - normalCdf(x - step)) / (2 * step);
    expect(slope).toBeCloseTo(normalDensity(x), 8);
  });
});
