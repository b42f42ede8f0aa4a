import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { interpolateLevels, levelMasses, weightedQuantiles } from './levels.ts';

const LEVELS = [0.05, 0.1, 0.3, 0.5, 0.8];
const fan = LEVELS.map((level) => Float32Array.of(level * 10, -level));

describe('interpolateLevels', () => {
  test('takes trained levels as they are, crossed ones too', () => {
    const [high, low] = interpolateLevels(fan, LEVELS, [0.8, 0.1]);
    expect(high).toBe(fan[4]);
    expect(low).toBe(fan[1]);
  });

  test('is linear between two levels and flat outside', () => {
    const [below, between, above] = interpolateLevels(fan, LEVELS, [0.001, 0.4, 0.99]);
    expect(below).toEqual(fan[0]);
    expect(between![0]).toBeCloseTo(4, 5);
    expect(between![1]).toBeCloseTo(-0.4, 6);
    expect(above).toEqual(fan[4]);
  });

  test('reads trained levels in any order', () => {
    const shuffled = [3, 0, 4, 1, 2];
    const got = interpolateLevels(
      shuffled.map((i) => fan[i]!),
      shuffled.map((i) => LEVELS[i]!),
      [0.07, 0.6],
    );
    expect(got).toEqual(interpolateLevels(fan, LEVELS, [0.07, 0.6]));
  });
});

describe('levelMasses', () => {
  test('sums to 1 and follows the gaps', () => {
    expect(levelMasses([0.25, 0.5, 0.75])).toEqual(new Float32Array(3).fill(1 / 3));
    expect(levelMasses([0.1, 0.5])[1]).toBeCloseTo(0.9 / 1.4, 6);
  });
});

describe('weightedQuantiles', () => {
  const values = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), {
    minLength: 1,
    maxLength: 12,
  });

  test('ascending levels give ascending values within the range of the values', () => {
    fc.assert(
      fc.property(values, (numbers) => {
        const data = Float32Array.from(numbers);
        const weights = data.map(() => 1 / data.length);
        const out = new Float32Array(LEVELS.length);
        weightedQuantiles(data, weights, LEVELS, out);
        out.forEach((value, i) => {
          expect(value).toBeGreaterThanOrEqual(out[i - 1] ?? Math.min(...data));
          expect(value).toBeLessThanOrEqual(Math.max(...data));
        });
      }),
    );
  });

  test('does not depend on the order of the values', () => {
    const out = [new Float32Array(1), new Float32Array(1)];
    weightedQuantiles(Float32Array.of(3, 1, 2), Float32Array.of(0.2, 0.5, 0.3), [0.65], out[0]!);
    weightedQuantiles(Float32Array.of(1, 2, 3), Float32Array.of(0.5, 0.3, 0.2), [0.65], out[1]!);
    expect(out[0]).toEqual(out[1]);
    expect(out[0]![0]).toBeCloseTo(1.5, 6);
  });
});
