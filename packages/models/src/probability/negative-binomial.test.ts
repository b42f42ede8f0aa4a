import { describe, expect, test } from 'vitest';
import { randomSource } from '../random/random-source.ts';
import { drawGamma } from './gamma.ts';
import { drawNegativeBinomial, drawPoisson } from './negative-binomial.ts';

const DRAWS = 20_000;

/** Mean and variance, each in units of its own standard error of a distribution with little more than normal tails. */
const distances = (draws: readonly number[], mean: number, variance: number): number[] => {
  const got = draws.reduce((sum, x) => sum + x, 0) / draws.length;
  const spread = draws.reduce((sum, x) => sum + (x - got) ** 2, 0) / draws.length;
  return [
    Math.abs(got - mean) / Math.sqrt(variance / draws.length),
    Math.abs(spread / variance - 1) * Math.sqrt(draws.length / 2),
  ];
};

const sourceOf = (seed: number) => randomSource(seed, new Float32Array(0));
const many = (seed: number, draw: (source: ReturnType<typeof sourceOf>) => number): number[] => {
  const source = sourceOf(seed);
  return Array.from({ length: DRAWS }, () => draw(source));
};

describe('draws have the mean and the variance of their distribution', () => {
  test.each([0.3, 3, 9.99, 10, 57, 1e6])('Poisson(%d)', (rate) => {
    const draws = many(1, (source) => drawPoisson(rate, source));
    expect(draws.every((k) => Number.isInteger(k) && k >= 0)).toBe(true);
    const [mean, variance] = distances(draws, rate, rate);
    expect(mean).toBeLessThan(4);
    expect(variance).toBeLessThan(8);
  });

  test.each([0.4, 1, 2.5, 40])('Gamma(%d)', (shape) => {
    const draws = many(2, (source) => drawGamma(shape, source));
    const [mean, variance] = distances(draws, shape, shape);
    expect(mean).toBeLessThan(4);
    expect(variance).toBeLessThan(16);
  });

  test.each([
    [0.7, 0.5],
    [4, -1],
    [12, 3],
  ])('NegativeBinomial(%d, %d)', (count, logits) => {
    const draws = many(3, (source) => drawNegativeBinomial({ count, logits }, source));
    const mean = count * Math.exp(logits);
    const [offset, variance] = distances(draws, mean, mean * (1 + Math.exp(logits)));
    expect(offset).toBeLessThan(4);
    expect(variance).toBeLessThan(16);
  });
});

test('parameters at the edges end', () => {
  const source = sourceOf(4);
  expect(drawNegativeBinomial({ count: 0, logits: 1 }, source)).toBe(0);
  expect(drawNegativeBinomial({ count: Number.NaN, logits: 1 }, source)).toBeNaN();
  expect(drawNegativeBinomial({ count: 1, logits: 1e6 }, source)).toBe(Number.POSITIVE_INFINITY);
  expect(drawPoisson(0, source)).toBe(0);
});
