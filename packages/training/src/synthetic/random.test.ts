import { expect, test } from 'vitest';
import { createRandom, type Random } from './random.ts';

const meanOf = (draw: (random: Random) => number, count = 20_000): number => {
  const random = createRandom(11, 3);
  let sum = 0;
  for (let i = 0; i < count; i++) sum += draw(random) / count;
  return sum;
};

test('a seed and a stream fix the numbers; another stream has others', () => {
  const first = createRandom(1, 2);
  const again = createRandom(1, 2);
  const other = createRandom(1, 3);
  const numbers = Array.from({ length: 50 }, () => first.normal());
  expect(Array.from({ length: 50 }, () => again.normal())).toEqual(numbers);
  expect(Array.from({ length: 50 }, () => other.normal())).not.toEqual(numbers);
});

test.each<readonly [string, (random: Random) => number, number]>([
  ['uniform', (random) => random.uniform(), 0.5],
  ['square of a normal', (random) => random.normal() ** 2, 1],
  ['gamma of a small shape', (random) => random.gamma(0.5, 3), 1.5],
  ['gamma', (random) => random.gamma(4, 0.5), 2],
  ['small poisson', (random) => random.poisson(0.7), 0.7],
  ['large poisson', (random) => random.poisson(90) / 90, 1],
  ['square of a scaled Student t', (random) => random.student(8) ** 2, 1],
  ['logarithm of a log-uniform', (random) => Math.log(random.logBetween(1, Math.E)), 0.5],
])('the mean of %s is its law’s', (_, draw, mean) => {
  expect(meanOf(draw)).toBeCloseTo(mean, 1);
});
