import { AnalyzeParameters } from '@tollama/core/forecast-variants';
import { Series } from '@tollama/core/series';
import { describe, expect, test } from 'vitest';
import { normalFrom, uniformFrom } from '../generate/random.ts';
import { analyzeSeries, narrateAnalysis } from './analyze.ts';
import { findChangePoint } from './change-point.ts';
import { findSeasons } from './seasonality.ts';
import { robustTrend } from './trend.ts';

const noise = (seed: number) => normalFrom(uniformFrom(seed));
const day = (i: number) => new Date(Date.UTC(2024, 0, 1 + i)).toISOString().slice(0, 10);

const analyze = (target: number[], fields: object = {}, parameters: object = {}) =>
  analyzeSeries(
    Series.parse({ id: 's', timestamps: target.map((_, i) => day(i)), target, ...fields }),
    AnalyzeParameters.parse(parameters),
  );

const numbers = (length: number, of: (i: number) => number) =>
  Array.from({ length }, (_, i) => of(i));

describe('trend', () => {
  test.each([
    ['up', numbers(50, (i) => i)],
    ['down', numbers(50, (i) => -3 * i)],
    ['flat', numbers(50, () => 7)],
  ])('%s', (direction, target) => {
    expect(analyze(target).trend.direction).toBe(direction);
  });

  test('noise alone has none, and is stationary; a random walk is not', () => {
    const normal = noise(1);
    const white = numbers(400, normal);
    expect(analyze(white)).toMatchObject({ trend: { direction: 'flat' }, stationarity_flag: true });
    let level = 0;
    const walk = numbers(400, () => {
      level += normal();
      return level;
    });
    expect(analyze(walk).stationarity_flag).toBe(false);
    expect(analyze([1, 2, 3]).stationarity_flag).toBeNull();
  });

  test('slope and fit are those of least squares', () => {
    const { slope, r2 } = analyze(numbers(20, (i) => 2 * i + 1)).trend;
    expect([slope, r2]).toEqual([2, 1]);
  });

  test('outliers do not tilt the robust line', () => {
    const values = Float64Array.from({ length: 60 }, (_, i) => (i === 50 ? 1e6 : i));
    expect(robustTrend(values).slope).toBeCloseTo(1, 6);
  });
});

describe('seasons', () => {
  const wave = (period: number) => (i: number) => Math.sin((2 * Math.PI * i) / period);

  test('the calendar length and one that only the data know', () => {
    const normal = noise(2);
    expect(
      analyze(numbers(140, (i) => 5 * wave(7)(i) + 0.5 * normal())).seasonality_periods,
    ).toEqual([7]);
    expect(
      analyze(numbers(200, (i) => 5 * wave(11)(i) + 0.5 * normal())).seasonality_periods,
    ).toEqual([11]);
  });

  test('two at once', () => {
    const hourly = Float64Array.from(
      { length: 24 * 7 * 6 },
      (_, i) => 3 * wave(24)(i) + 3 * wave(168)(i),
    );
    const found = findSeasons(hourly, { candidates: [24, 168], maxLag: 365, top: 3 });
    expect(found.map(({ period }) => period)).toContain(168);
  });

  test('noise, lines and constants have none', () => {
    const normal = noise(3);
    expect(analyze(numbers(300, normal)).seasonality_periods).toEqual([]);
    expect(analyze(numbers(100, (i) => i)).seasonality_periods).toEqual([]);
    expect(analyze(numbers(100, () => 3)).seasonality_periods).toEqual([]);
  });
});

describe('anomalies', () => {
  const season = [0, 4, 9, 4, 0, -6, -9];

  test('a spike and a dip in a seasonal series are found, and only they', () => {
    const target = numbers(140, (i) => 100 + i / 10 + season[i % 7]!);
    target[60]! += 40;
    target[100]! -= 40;
    const { anomalies, anomaly_indices, data_quality_score } = analyze(target);
    expect(anomaly_indices).toEqual([60, 100]);
    expect(anomalies).toMatchObject([
      { index: 60, type: 'spike', severity: 'high', range_start: 60, range_end: 60 },
      { index: 100, type: 'dip', severity: 'high' },
    ]);
    expect(data_quality_score).toBeGreaterThan(0.95);
  });

  test('a shift of the level and a break of the trend', () => {
    const normal = noise(4);
    const shifted = numbers(120, (i) => (i < 70 ? 10 : 30) + normal());
    expect(analyze(shifted).anomalies.filter(({ type }) => type === 'shift')).toMatchObject([
      { index: 70, severity: 'high' },
    ]);
    const broken = numbers(120, (i) => (i < 60 ? 0 : i - 60) + normal());
    const [found] = analyze(broken).anomalies.filter(({ type }) => type === 'trend_break');
    expect(Math.abs(found!.index - 60)).toBeLessThan(10);
  });

  test('noise and random walks have no break', () => {
    const normal = noise(5);
    expect(findChangePoint(Float64Array.from({ length: 300 }, normal))).toBeUndefined();
    expect(findChangePoint(new Float64Array(50).fill(2))).toBeUndefined();
    expect(findChangePoint(Float64Array.of(1, 2, 3))).toBeUndefined();
  });

  test('one wild value of a constant series', () => {
    const target = numbers(40, (i) => (i === 9 ? 50 : 5));
    expect(analyze(target)).toMatchObject({ anomaly_indices: [9], anomalies: [{ type: 'spike' }] });
  });
});

describe('quality', () => {
  test('missing values, gaps in time and few points are told', () => {
    const { warnings, data_quality_score, detected_frequency } = analyze([1, 2, 0, 4, 5, 6], {
      timestamps: [0, 1, 2, 3, 4, 7].map(day),
      missing_indices: [2],
      freq: 'D',
    });
    expect(detected_frequency).toBe('D');
    expect(warnings).toEqual([
      '1 of 6 values are missing',
      '1 of 5 steps are not of the frequency',
      '6 points are few',
    ]);
    expect(data_quality_score).toBeLessThan(0.7);
  });

  test('a frequency that cannot be found is unknown', () => {
    const timestamps = ['2024-01-01', '2024-01-05', '2024-02-20'];
    const { detected_frequency, warnings } = analyze([1, 2, 3], { timestamps });
    expect(detected_frequency).toBe('unknown');
    expect(warnings!.join()).toContain('cannot be inferred');
  });

  test('the latest points are looked at, places stay those of the whole', () => {
    const target = numbers(100, (i) => (i === 90 ? 99 : i === 5 ? -99 : 1));
    const found = analyze(target, {}, { max_points: 50 });
    expect(found.anomaly_indices).toEqual([90]);
    expect(found.warnings).toContain('only the latest 50 of 100 points are looked at');
  });
});

test('the narrative says it in a sentence', () => {
  expect(narrateAnalysis(analyze(numbers(50, (i) => i)))).toMatchObject({
    summary: "'s' goes up, with no season and no anomalies; data quality 1.",
    trend_direction: 'up',
    anomaly_count: 0,
  });
});
