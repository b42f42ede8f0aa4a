import { describe, expect, it } from 'vitest';
import { findSeasons } from './seasonality.ts';
import { simulator } from './simulate.ts';

const lengths = (values: Float64Array, candidates: readonly number[] = []): number[] =>
  findSeasons(values, candidates).map(({ length }) => length);

const series = (n: number, at: (t: number) => number): Float64Array =>
  Float64Array.from({ length: n }, (_, t) => at(t));

const wave = (period: number, t: number): number => Math.sin((2 * Math.PI * t) / period);

describe('findSeasons', () => {
  it.each([7, 12, 24, 52, 96, 100])('finds the period %i of a pure sine', (period) => {
    expect(lengths(series(period * 8 + 3, (t) => wave(period, t)))).toEqual([period]);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('finds none in noise (seed %i)', (seed) => {
    const { normal } = simulator(seed);
    expect(lengths(series(480, normal))).toEqual([]);
    expect(lengths(series(480, normal), [24, 168])).toEqual([]);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('finds none in a random walk (seed %i)', (seed) => {
    const { normal } = simulator(seed);
    let level = 0;
    const walk = series(600, () => {
      level += normal();
      return level;
    });
    expect(lengths(walk, [24, 168])).toEqual([]);
  });

  it('is not fooled by a trend', () => {
    const { normal } = simulator(3);
    expect(lengths(series(240, (t) => 5 * t + 8 * wave(12, t) + normal()))).toEqual([12]);
    expect(lengths(series(240, (t) => 0.01 * t * t + normal()))).toEqual([]);
  });

  it('finds several seasons', () => {
    const { normal } = simulator(4);
    const values = series(24 * 7 * 6, (t) => 3 * wave(24, t) + 2 * wave(168, t) + 0.5 * normal());
    expect(lengths(values).sort((a, b) => a - b)).toEqual([24, 168]);
    expect(lengths(values, [24, 168]).sort((a, b) => a - b)).toEqual([24, 168]);
  });

  it('finds a weekend in hourly data', () => {
    const { normal } = simulator(5);
    const values = series(24 * 7 * 5, (t) => {
      const isWeekend = Math.floor(t / 24) % 7 >= 5;
      return (isWeekend ? 0.5 : 1) * (10 + 5 * wave(24, t)) + 0.5 * normal();
    });
    expect(lengths(values, [24, 168]).sort((a, b) => a - b)).toEqual([24, 168]);
  });

  it('withstands single wild values', () => {
    const { normal } = simulator(6);
    const values = series(240, (t) => wave(24, t) + 0.2 * normal() + (t === 77 ? 500 : 0));
    expect(lengths(values)).toEqual([24]);
  });

  it('needs at least two cycles of a candidate', () => {
    expect(
      lengths(
        series(30, (t) => wave(24, t)),
        [24],
      ),
    ).toEqual([]);
  });

  it('says where a length is from and how strong it is', () => {
    const [season] = findSeasons(
      series(96, (t) => wave(24, t)),
      [24],
    );
    expect(season).toMatchObject({ length: 24, from: 'frequency' });
    expect(season!.strength).toBeGreaterThan(0.95);
  });

  it('gives nothing for constants and the shortest series', () => {
    expect(
      lengths(
        series(100, () => 3),
        [12],
      ),
    ).toEqual([]);
    for (let n = 0; n < 8; n++)
      expect(
        lengths(
          series(n, (t) => t % 2),
          [24],
        ),
      ).toEqual([]);
  });
});
