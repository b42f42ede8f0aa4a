import { describe, expect, test } from 'vitest';
import { randomSource } from '../../random/random-source.ts';
import { drawMixture, mixtureLogDensity, mixtureMean, type PatchMixture } from './mixture.ts';

/** Two steps of two components each. */
const mixture: PatchMixture = {
  df: Float32Array.of(5, 9, 4, 30),
  loc: Float32Array.of(-2, 3, 0, 1),
  scale: Float32Array.of(1, 0.5, 2, 1),
  probs: Float32Array.of(0.25, 0.75, 1, 0),
  components: 2,
  affine: [{ loc: 10, scale: 2 }],
};

/** The probability of values up to x at a step, by Simpson's rule. */
const probability = (step: number, x: number): number => {
  const [from, steps] = [-300, 40_000];
  const width = (x - from) / steps;
  let sum = 0;
  for (let i = 0; i <= steps; i++) {
    const weight = i === 0 || i === steps ? 1 : i % 2 === 0 ? 2 : 4;
    sum += weight * Math.exp(mixtureLogDensity(mixture, from + i * width)[step]!);
  }
  return (sum * width) / 3;
};

describe('mixture', () => {
  test('the mean weighs the components and returns to the scale of the series', () => {
    expect([...mixtureMean(mixture)]).toEqual([10 + 2 * 1.75, 10]);
  });

  test('the density integrates to one', () => {
    expect(probability(0, 300)).toBeCloseTo(1, 3);
    expect(probability(1, 300)).toBeCloseTo(1, 3);
  });

  test('draws follow the density', () => {
    const source = randomSource(3, Float32Array.of(1));
    const draws = Array.from({ length: 10_000 }, () => drawMixture(mixture, source));
    for (const step of [0, 1]) {
      for (const x of [4, 8, 12, 16]) {
        const share = draws.filter((draw) => draw[step]! <= x).length / draws.length;
        expect(Math.abs(share - probability(step, x))).toBeLessThan(0.02);
      }
    }
  });

  test('what lies beyond float32 becomes zero', () => {
    const extreme = { ...mixture, affine: [{ loc: 0, scale: 1e39 }] };
    expect([...mixtureMean(extreme)]).toEqual([0, 0]);
  });
});
