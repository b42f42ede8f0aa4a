import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import type { Outcome, Task } from '../family.ts';
import { forecastStatistical, STATISTICAL_MODELS, type StatisticalModelName } from './index.ts';
import { simulator } from './simulate.ts';

const LEVELS = [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99];

const forecast = (
  name: StatisticalModelName,
  targets: readonly ArrayLike<number>[],
  more: Partial<Task> & { freq?: string; candidates?: readonly number[] } = {},
): Outcome =>
  forecastStatistical(
    name,
    {
      series: targets.map((target, i) => ({
        id: `s${i}`,
        targets: [target],
        freq: more.freq ?? 'D',
      })),
      horizon: more.horizon ?? 6,
      quantiles: more.quantiles ?? LEVELS,
      options: more.options ?? {},
    },
    () => more.candidates ?? [7],
  );

const pathOf = (outcome: Outcome, k = 0) => outcome.forecasts[k]!.targets[0]!;

const expectSound = (outcome: Outcome, horizon: number): void => {
  for (const { targets } of outcome.forecasts) {
    for (const { mean, quantiles } of targets) {
      expect(mean.length).toBe(horizon);
      for (let h = 0; h < horizon; h++) {
        expect(Number.isFinite(mean[h])).toBe(true);
        for (const [k, path] of quantiles.entries()) {
          expect(Number.isFinite(path[h])).toBe(true);
          if (k > 0) expect(path[h]!).toBeGreaterThanOrEqual(quantiles[k - 1]![h]!);
        }
      }
    }
  }
};

const noisy = (n: number, seed = 1): number[] => {
  const { normal } = simulator(seed);
  return Array.from({ length: n }, (_, t) => 20 + 5 * Math.sin((2 * Math.PI * t) / 7) + normal());
};

const EDGES: Readonly<Record<string, readonly number[]>> = {
  'nothing observed': [Number.NaN, Number.NaN],
  empty: [],
  'one point': [3],
  'two points': [3, 5],
  'three points': [3, 5, 4],
  constant: new Array(40).fill(7),
  zeros: new Array(40).fill(0),
  'one after zeros': [...new Array(30).fill(0), 1],
  'leading gaps': [Number.NaN, Number.NaN, ...noisy(30)],
  'trailing gaps': [...noisy(30), Number.NaN, Number.NaN],
  'inner gaps': noisy(60).map((y, t) => (t % 5 === 2 ? Number.NaN : y)),
  infinite: [...noisy(20), Number.POSITIVE_INFINITY, ...noisy(9)],
  huge: noisy(50).map((y) => y * 1e12),
  'near the largest number': noisy(50).map((y) => y * 5e306),
  tiny: noisy(50).map((y) => y * 1e-12),
  'near the smallest number': noisy(50).map((y) => y * 1e-310),
  'small steps far from 0': noisy(50).map((y) => 1e12 + y * 1e-3),
  negative: noisy(50).map((y) => -y),
  intermittent: Array.from({ length: 60 }, (_, t) => (t % 7 === 3 ? 2 + (t % 3) : 0)),
  outlier: noisy(60).map((y, t) => (t === 30 ? -9999 : y)),
  'level shift': noisy(60).map((y, t) => (t > 40 ? y + 1000 : y)),
};

describe.each(STATISTICAL_MODELS)('%s', (name) => {
  it.each(Object.keys(EDGES))('is finite and uncrossed: %s', (edge) => {
    expectSound(forecast(name, [EDGES[edge]!], { horizon: 20 }), 20);
    expectSound(forecast(name, [EDGES[edge]!], { horizon: 1, candidates: [100] }), 1);
    expectSound(forecast(name, [EDGES[edge]!], { options: { season_length: 12 } }), 6);
  });

  it('gives a constant back, without a spread', () => {
    const { mean, quantiles } = pathOf(forecast(name, [EDGES.constant!]));
    for (const path of [mean, ...quantiles]) {
      for (let h = 0; h < 6; h++) expect(path[h]).toBeCloseTo(7, 6);
    }
  });

  it('stays at or above 0 for series that do', () => {
    const { quantiles } = pathOf(forecast(name, [EDGES.intermittent!], { horizon: 30 }));
    for (const path of quantiles) expect(Math.min(...Array.from(path))).toBeGreaterThanOrEqual(0);
  });

  it('does not narrow with the horizon on a random walk', () => {
    const { normal } = simulator(2);
    let level = 0;
    const walk = Array.from({ length: 200 }, () => {
      level += normal();
      return level;
    });
    const { quantiles } = pathOf(forecast(name, [walk], { horizon: 20 }));
    const width = (h: number): number => quantiles[5]![h]! - quantiles[1]![h]!;
    expect(width(19)).toBeGreaterThanOrEqual(0.9 * width(0));
    expect(width(0)).toBeGreaterThan(0);
  });

  it('gives every series the same forecast alone, in any order and twice', () => {
    const rows = [noisy(50), noisy(80, 2), EDGES.intermittent!];
    const together = forecast(name, rows);
    const reversed = forecast(name, [...rows].reverse());
    rows.forEach((row, k) => {
      expect(forecast(name, [row]).forecasts[0]!.targets).toEqual(together.forecasts[k]!.targets);
      expect(reversed.forecasts[rows.length - 1 - k]!.targets).toEqual(
        together.forecasts[k]!.targets,
      );
    });
  });

  test.prop(
    [
      fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 30 }),
    ],
    { numRuns: 40 },
  )('is finite and uncrossed on anything', (values, horizon) => {
    expectSound(forecast(name, [values], { horizon }), horizon);
  });

  test.prop([fc.integer({ min: 1, max: 1000 }), fc.constantFrom(1e-6, 0.5, 4, 1e6)], {
    numRuns: 15,
  })('scales with the series', (seed, factor) => {
    const values = noisy(70, seed);
    const one = pathOf(forecast(name, [values]));
    const other = pathOf(forecast(name, [values.map((y) => y * factor)]));
    for (let h = 0; h < 6; h++) {
      const spread = Math.abs(one.quantiles[6]![h]! - one.quantiles[0]![h]!) + 1;
      for (const [k, path] of one.quantiles.entries()) {
        expect(Math.abs(other.quantiles[k]![h]! / factor - path[h]!) / spread).toBeLessThan(1e-9);
      }
    }
  });

  // Croston's zero is a value that means something: no demand.
  test.prop([fc.integer({ min: 1, max: 1000 }), fc.constantFrom(-1000, -60, -45)], {
    numRuns: name === 'croston' ? 0 : 15,
  })('moves with the series', (seed, shift) => {
    const values = noisy(70, seed).map((y) => y - 100);
    const one = pathOf(forecast(name, [values]));
    const other = pathOf(forecast(name, [values.map((y) => y + shift)]));
    for (let h = 0; h < 6; h++) {
      for (const [k, path] of one.quantiles.entries()) {
        expect(Math.abs(other.quantiles[k]![h]! - shift - path[h]!)).toBeLessThan(1e-8);
      }
    }
  });
});

describe('known answers', () => {
  const normal90 = 1.2815515655446004;

  it('naive: last value, sigma sqrt(h)', () => {
    const { mean, quantiles } = pathOf(forecast('naive', [[-1, 2, 0, 4]], { quantiles: [0.9] }));
    const sigma = Math.sqrt((9 + 4 + 16) / 3);
    expect(Array.from(mean)).toEqual(new Array(6).fill(4));
    expect(quantiles[0]![3]).toBeCloseTo(4 + normal90 * sigma * 2, 9);
  });

  it('seasonal naive: last season, sigma sqrt(seasons)', () => {
    const more = { quantiles: [0.9], options: { season_length: 2 } };
    const { mean, quantiles } = pathOf(forecast('seasonal-naive', [[-1, 5, 1, 6]], more));
    const sigma = Math.sqrt((4 + 1) / 2);
    Array.from(mean).forEach((value, h) => {
      expect(value).toBeCloseTo(h % 2 === 0 ? 1 : 6, 9);
    });
    expect(quantiles[0]![4]).toBeCloseTo(1 + normal90 * sigma * Math.sqrt(3), 9);
  });

  test.prop([
    fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 30 }),
  ])('naive and seasonal naive repeat the values themselves, without a rounding', (target) => {
    const last = target.at(-1)!;
    const { mean, quantiles } = pathOf(forecast('naive', [target]));
    expect(Array.from(mean)).toEqual(new Array(6).fill(last));
    expect(quantiles[LEVELS.indexOf(0.5)]).toEqual(mean);
    for (let k = 1; k < quantiles.length; k++) {
      Array.from(quantiles[k]!).forEach((value, h) => {
        expect(value).toBeGreaterThanOrEqual(quantiles[k - 1]![h]!);
      });
    }
    const seasonal = pathOf(
      forecast('seasonal-naive', [target], { options: { season_length: 3 } }),
    );
    const season = target.length > 3 ? 3 : 1;
    const from = target.length - season;
    const expected = Array.from({ length: 6 }, (_, h) => target[from + (h % season)]);
    expect(Array.from(seasonal.mean)).toEqual(expected);
  });

  it('drift: average step, sigma sqrt(h (1 + h / (n - 1)))', () => {
    const { mean, quantiles } = pathOf(forecast('drift', [[-1, 2, 1, 5]], { quantiles: [0.9] }));
    const sigma = Math.sqrt((1 + 9 + 4) / 2);
    expect(mean[1]).toBeCloseTo(9, 9);
    expect(quantiles[0]![1]).toBeCloseTo(9 + normal90 * sigma * Math.sqrt(2 * (1 + 2 / 3)), 9);
  });

  it('drift: a slope of 0 is fitted like any other', () => {
    const { quantiles } = pathOf(forecast('drift', [[-1, 3, -2, -1]], { quantiles: [0.9] }));
    const sigma = Math.sqrt((16 + 25 + 1) / 2);
    expect(quantiles[0]![0]).toBeCloseTo(-1 + normal90 * sigma * Math.sqrt(1 + 1 / 3), 9);
  });

  it('croston: corrected size over interval, and the zeros in the quantiles', () => {
    const every4 = Array.from({ length: 80 }, (_, t) => (t % 4 === 3 ? 8 : 0));
    const { mean, quantiles } = pathOf(
      forecast('croston', [every4], { quantiles: [0.5, 0.74, 0.76] }),
    );
    expect(mean[0]).toBeCloseTo((0.95 * 8) / 3.95, 9);
    expect(quantiles.map((path) => path[5])).toEqual([0, 0, 8]);
  });
});

describe('missing values', () => {
  it('continues past a gap at the end', () => {
    const whole = forecast('naive', [[-1, 2, 0, 4]], { horizon: 3 });
    const gapped = forecast('naive', [[-1, 2, 0, 4, Number.NaN]], { horizon: 2 });
    pathOf(gapped).quantiles.forEach((path, k) => {
      expect(Array.from(path)).toEqual(Array.from(pathOf(whole).quantiles[k]!).slice(1));
    });
  });

  it('warns where nothing or one value is observed', () => {
    expect(forecast('auto', [[Number.NaN], [1]]).warnings).toEqual([
      "series 's0': no value is observed; the forecast is 0 throughout",
      "series 's1': one value is observed; the forecast repeats it without a spread",
    ]);
  });
});

describe('options.season_length', () => {
  it('replaces the search', () => {
    const { explanation } = forecast('seasonal-naive', [noisy(50)], {
      options: { season_length: 5 },
    }).forecasts[0]!;
    expect(explanation).toMatchObject({ season: 5, seasons: [{ length: 5, from: 'options' }] });
  });

  it.each([0, 1.5, 'week', [7, -1]])('refuses %j', (season_length) => {
    expect(() => forecast('auto', [noisy(50)], { options: { season_length } })).toThrow(
      /options\.season_length is .* whole number/,
    );
  });
});

describe('auto', () => {
  it('says what it chose and why', () => {
    const explanation = forecast('auto', [noisy(120)]).forecasts[0]!.explanation!;
    expect(explanation).toMatchObject({ model: 'auto', seasons: [{ length: 7 }] });
    expect(explanation.why).toMatch(/least mean absolute error/);
    const members = explanation.members as { name: string; weight: number }[];
    expect(members.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 9);
    expect(members.map(({ name }) => name)).toContain(explanation.chosen);
  });

  it.each(['noise', 'random walk', 'seasonal'])('covers about its nominal share: %s', (kind) => {
    const { normal } = simulator(11);
    let inside = 0;
    let points = 0;
    for (let run = 0; run < 60; run++) {
      let level = 0;
      const path = Array.from({ length: 132 }, (_, t) => {
        level = kind === 'random walk' ? level + normal() : normal();
        return level + (kind === 'seasonal' ? 4 * Math.sin((2 * Math.PI * t) / 7) : 0);
      });
      const { quantiles } = pathOf(
        forecast('auto', [path.slice(0, 120)], { horizon: 12, quantiles: [0.1, 0.9] }),
      );
      for (let h = 0; h < 12; h++) {
        const y = path[120 + h]!;
        inside += Number(y >= quantiles[0]![h]! && y <= quantiles[1]![h]!);
        points++;
      }
    }
    expect(inside / points).toBeGreaterThan(0.7);
    expect(inside / points).toBeLessThan(0.9);
  });
});
