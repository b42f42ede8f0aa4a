import { GenerateRequest } from '@tollama/core/series-requests';
import { describe, expect, test } from 'vitest';
import { linearTrend } from '../analysis/trend.ts';
import { generateSeries } from './generate.ts';

const day = (i: number) => new Date(Date.UTC(2024, 0, 1 + i)).toISOString().slice(0, 10);
const source = (length: number, of: (i: number) => number, id = 's') => ({
  id,
  timestamps: Array.from({ length }, (_, i) => day(i)),
  target: Array.from({ length }, (_, i) => of(i)),
});
const generate = (fields: object) => generateSeries(GenerateRequest.parse(fields));

const still = { level_jitter: 0, trend_jitter: 0, seasonality_jitter: 0, noise_scale: 0 };

describe('generate', () => {
  test('the same seed gives the same series, another one others', () => {
    const series = [source(30, (i) => 5 + (i % 7))];
    const ask = { series, count: 2, seed: 7 };
    expect(generate(ask)).toEqual(generate(ask));
    expect(generate({ ...ask, seed: 8 }).generated[0]!.target).not.toEqual(
      generate(ask).generated[0]!.target,
    );
    const { seed } = generate({ series });
    expect(generate({ series, seed }).seed).toBe(seed);
  });

  test('without variation it is the source, and goes on beyond it', () => {
    const season = [0, 5, 9, 2, -3, -8, -5];
    const series = [source(70, (i) => 50 + 2 * i + season[i % 7]!)];
    const [made] = generate({ series, variation: still, length: 84, seed: 1 }).generated;
    expect(made).toMatchObject({ id: 's_synthetic_1', source_id: 's' });
    expect(made!.timestamps.at(-1)).toBe(day(83));
    expect(Math.abs(linearTrend(made!.target).slope - 2)).toBeLessThan(0.05);
    made!.target.forEach((value, i) => {
      expect(Math.abs(value - (50 + 2 * i + season[i % 7]!))).toBeLessThan(1.5);
    });
  });

  test('noise is like the source, and zero is kept where the source keeps it', () => {
    const series = [source(60, (i) => (i % 2 === 0 ? 0 : 3))];
    const { generated } = generate({ series, count: 20, seed: 3 });
    expect(generated.every(({ target }) => target.every((value) => value >= 0))).toBe(true);
    const free = { respect_non_negative: false, noise_scale: 3 };
    const below = generate({ series, count: 20, seed: 3, variation: free }).generated;
    expect(below.some(({ target }) => target.some((value) => value < 0))).toBe(true);
  });

  test('ids stay unique; timestamps that cannot go on are counted', () => {
    const series = [
      { ...source(3, (i) => i), timestamps: ['x', 'y', 'z'], freq: 'D' },
      source(3, (i) => i, 's_synthetic_1'),
    ];
    const { generated, warnings } = generate({ series, length: 5, seed: 1 });
    expect(generated.map(({ id }) => id)).toEqual(['s_synthetic_1_2', 's_synthetic_1_synthetic_1']);
    expect(generated[0]!.timestamps).toEqual(['1', '2', '3', '4', '5']);
    expect(warnings).toHaveLength(1);
  });

  test.each([
    { series: [source(2, (i) => i)] },
    { series: [source(9, (i) => i)], count: 51 },
    { series: [source(9, (i) => i)], length: 2 },
    { series: [] },
  ])('refuses %j', (fields) => {
    expect(GenerateRequest.safeParse(fields).success).toBe(false);
  });
});
