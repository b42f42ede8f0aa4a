import { describe, expect, test } from 'vitest';
import { randomSource } from '../random/random-source.ts';
import { drawStudentT, studentTLogDensity } from './student-t.ts';

/** The integral of a function over [from, to] by Simpson's rule. */
const integral = (f: (x: number) => number, from: number, to: number, steps = 4000): number => {
  const width = (to - from) / steps;
  let sum = f(from) + f(to);
  for (let i = 1; i < steps; i++) sum += (i % 2 === 0 ? 2 : 4) * f(from + i * width);
  return (sum * width) / 3;
};

describe('studentTLogDensity', () => {
  test.each([2, 2.5, 7, 40])('integrates to one with %d degrees of freedom', (df) => {
    const density = (x: number): number =>
      Math.exp(studentTLogDensity(x, { df, loc: 1, scale: 2 }));
    expect(integral(density, -4000, 4002, 400_000)).toBeCloseTo(1, 5);
  });

  test('has the closed form of two degrees of freedom', () => {
    for (const x of [-3, 0, 0.5, 20]) {
      const exact = -1.5 * Math.log(2 + x * x);
      expect(studentTLogDensity(x, { df: 2, loc: 0, scale: 1 })).toBeCloseTo(exact, 10);
    }
  });
});

describe('drawStudentT', () => {
  test.each([Number.NaN, Number.POSITIVE_INFINITY])('comes to an end with df = %d', (df) => {
    expect(drawStudentT(df, randomSource(1, Float32Array.of(1)))).toBeNaN();
  });

  test.each([2.01, 5, 30])('follows the density with %d degrees of freedom', (df) => {
    const source = randomSource(1, Float32Array.of(df));
    const draws = Float64Array.from({ length: 20_000 }, () => drawStudentT(df, source)).sort();
    const density = (x: number): number =>
      Math.exp(studentTLogDensity(x, { df, loc: 0, scale: 1 }));
    for (const x of [-2, -0.5, 0, 1, 3]) {
      const share = draws.filter((draw) => draw <= x).length / draws.length;
      expect(share).toBeCloseTo(0.5 + integral(density, 0, x), 1.7);
    }
  });
});
