import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import type { RotaryPairs } from './node.ts';
import { constant, input, turnPairs } from './ops.ts';
import { evaluate, numbersOf, tensorOf } from './testing/run-graph.ts';

interface Sizes {
  readonly batch: number;
  readonly length: number;
  readonly heads: number;
  readonly width: number;
  readonly half: number;
  readonly isShared: boolean;
  readonly pairs: RotaryPairs;
}

const sizes: fc.Arbitrary<Sizes> = fc
  .record({
    batch: fc.integer({ min: 1, max: 3 }),
    length: fc.integer({ min: 1, max: 4 }),
    heads: fc.integer({ min: 1, max: 3 }),
    half: fc.integer({ min: 1, max: 4 }),
    passing: fc.integer({ min: 0, max: 2 }),
    isShared: fc.boolean(),
    pairs: fc.constantFrom<RotaryPairs>('neighbours', 'halves'),
  })
  .map(({ passing, ...rest }) => ({ ...rest, width: 2 * (rest.half + passing) }));

/** Number `at` of a series of reproducible noise. */
const noise = (at: number): number => Math.sin(12.9898 * (at + 1)) * 3;

/** Every pair turned by its angle, in plain arithmetic. */
const turned = (x: readonly number[], angles: readonly number[], s: Sizes): number[] => {
  const out = [...x];
  for (let row = 0; row < s.batch * s.length; row++) {
    const place = s.isShared ? row % s.length : row;
    for (let head = 0; head < s.heads; head++) {
      const start = (row * s.heads + head) * s.width;
      for (let pair = 0; pair < s.half; pair++) {
        const angle = angles[place * s.half + pair]!;
        const [a, b] = s.pairs === 'halves' ? [pair, pair + s.half] : [2 * pair, 2 * pair + 1];
        const [first, second] = [x[start + a]!, x[start + b]!];
        out[start + a] = first * Math.cos(angle) - second * Math.sin(angle);
        out[start + b] = second * Math.cos(angle) + first * Math.sin(angle);
      }
    }
  }
  return out;
};

describe('turnPairs', () => {
  test.prop([sizes], { numRuns: 30 })('turns pairs of channels by their angles', async (s) => {
    const width = s.heads * s.width;
    const x = Array.from({ length: s.batch * s.length * width }, (_, i) => noise(i));
    const places = s.isShared ? [s.length] : [s.batch, s.length];
    const count = places.reduce((a, b) => a * b, s.half);
    const angles = Array.from({ length: count }, (_, i) => noise(i + 500));
    const shape = s.isShared ? ['s', s.half] : ['b', 's', s.half];
    const [cos, sin] = [input('cos', shape), input('sin', shape)];
    const got = await evaluate(turnPairs(input('x', ['b', 's', width]), cos, sin, s), {
      x: tensorOf([s.batch, s.length, width], x),
      cos: tensorOf([...places, s.half], angles.map(Math.cos)),
      sin: tensorOf([...places, s.half], angles.map(Math.sin)),
    });
    const want = turned(x, angles, s);
    numbersOf(got).forEach((value, i) => {
      expect(value).toBeCloseTo(want[i]!, 4);
    });
  });

  test('refuses tables that do not fit', () => {
    const x = input('x', ['b', 's', 8]);
    const table = constant(new Array<number>(6).fill(1), 'float32', [2, 3]);
    const turn = (heads: number) => () => turnPairs(x, table, table, { heads, pairs: 'halves' });
    expect(turn(1)).toThrowErrorMatchingInlineSnapshot(
      `[TollamaError: rotary: cosines [2, 3] of [b, s, 8]: they must be of the same places]`,
    );
    expect(turn(2)).toThrowErrorMatchingInlineSnapshot(
      `[TollamaError: rotary: cosines [2, 3] of [b, s, 8]: 2 heads are too narrow, or the sines differ]`,
    );
  });
});
