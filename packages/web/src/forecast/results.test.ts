import { describe, expect, test } from 'vitest';
import { historyChart, runChart } from './chart-data.ts';
import { EXAMPLES } from './example-data.ts';
import { resultsCsv } from './export.ts';
import { mirroredPairs, parseLevels } from './quantile-levels.ts';
import { type Forecast, forecastBody, type Run } from './run.ts';
import { naiveError, scoreOf } from './score.ts';
import { chooseText, frequencyOf, seasonOf, setup, shownSeries } from './setup.ts';
import type { SeriesData } from './table-series.ts';
import { placesOf } from './time-axis.ts';

const series = (values: readonly (number | null)[], id = 's'): SeriesData => {
  const timestamps = values.map((_, i) => `2024-01-${String(i + 1).padStart(2, '0')}`);
  return { id, timestamps, values, ...placesOf(timestamps) };
};

const forecast: Forecast = {
  id: 's',
  freq: 'D',
  start_timestamp: '2024-01-06',
  mean: [6, 7],
  quantiles: { '0.1': [5, 5], '0.5': [6, 7], '0.9': [8, 9] },
};

const runOf = (parts: Partial<Run> = {}): Run => ({
  source: [],
  series: [series([1, 2, 3, 4, 5])],
  horizon: 2,
  levels: [0.1, 0.5, 0.9],
  isHeldOut: false,
  results: [
    {
      model: 'auto',
      response: {
        model: 'auto',
        forecasts: [forecast],
        metrics: null,
        timing: { model_load_ms: 0, inference_ms: 1, total_ms: 2 },
        explanation: null,
        narrative: null,
        preprocessing: null,
        usage: {},
        warnings: null,
      },
      problem: undefined,
      elapsedMs: 3,
    },
  ],
  cancel: () => {},
  ...parts,
});

describe('parseLevels', () => {
  test.each([
    ['0.9, 0.1;0.5', [0.1, 0.5, 0.9], undefined],
    ['', [], undefined],
    ['0.1 1', [], '‘1’ is not between 0 and 1'],
    ['0.1 x', [], '‘x’ is not between 0 and 1'],
    ['0.1 0.1', [], '0.1 stands twice'],
  ])('%j', (text, levels, problem) => {
    const read = parseLevels(text);
    expect(read.levels).toEqual(levels);
    if (problem) expect(read.problem).toContain(problem);
    else expect(read.problem).toBeUndefined();
  });

  test('pairs mirror each other, the widest first', () => {
    expect(mirroredPairs([0.05, 0.1, 0.5, 0.9, 0.95])).toEqual([
      [0.05, 0.95],
      [0.1, 0.9],
    ]);
    expect(mirroredPairs([0.1, 0.5])).toEqual([]);
  });
});

test('a body names what is missing', () => {
  const body = forecastBody('auto', [series([1, null, 3])], {
    horizon: 2,
    levels: [0.5],
    frequency: '',
  });
  expect(body.series[0]).toMatchObject({ freq: 'auto', target: [1, 0, 3], missing_indices: [1] });
});

describe('charts', () => {
  test('the history alone', () => {
    const chart = historyChart(series([1, 2, 3]), 2, false);
    expect(chart.lines.map(({ values }) => values)).toEqual([[1, 2, 3]]);
    expect(chart.origin).toBeUndefined();
  });

  test('a fan is fastened to the end of the history, and its band lies between its edges', () => {
    const { lines, bands, timestamps, places, origin } = runChart(runOf(), 0, undefined, false);
    expect(lines.map(({ kind }) => kind)).toEqual(['history', 'edge', 'edge', 'center']);
    expect(lines[1]?.values).toEqual([null, null, null, null, 5, 8, 9]);
    expect(lines[2]?.values).toEqual([null, null, null, null, 5, 5, 5]);
    expect(bands).toEqual([{ high: 1, low: 2, model: 0, depth: 0 }]);
    expect(timestamps.slice(-2)).toEqual(['2024-01-06', '2024-01-07']);
    expect(places.every((place, i) => i === 0 || place > places[i - 1]!)).toBe(true);
    expect(origin).toBe(places[4]);
  });

  test('what was held out is drawn beside the forecast', () => {
    const whole = series([1, 2, 3, 4, 5, 6.5, 7.5]);
    const { lines } = runChart(runOf({ isHeldOut: true }), 0, whole, true);
    expect(lines[1]).toMatchObject({ kind: 'actual' });
    expect(lines[1]?.values.slice(-3)).toEqual([5, 6.5, 7.5]);
  });

  test('all lines are as long as the axis', () => {
    const { lines, places } = runChart(runOf(), 0, undefined, false);
    for (const { values } of lines) expect(values).toHaveLength(places.length);
  });
});

describe('scores', () => {
  const history = { values: [1, 2, 3, 4, 5], season: 1 };

  test('errors against seasonal naive', () => {
    const score = scoreOf(forecast, [7, 9.5], history, [0.1, 0.5, 0.9]);
    expect(score?.mae).toBeCloseTo((1 + 2.5) / 2);
    expect(score?.mase).toBeCloseTo(1.75);
    expect(score?.coverage?.share).toBe(0.5);
    expect(score?.coverage?.promised).toBeCloseTo(0.8);
  });

  test('missing actuals do not count; a flat history has no scale', () => {
    expect(scoreOf(forecast, [null, 7], history, [])?.mae).toBe(0);
    expect(scoreOf(forecast, [null, null], history, [])).toBeUndefined();
    expect(naiveError([2, 2, 2], 1)).toBeUndefined();
  });
});

test('the CSV is the long frame with a column for each model and level', () => {
  expect(resultsCsv(runOf())).toBe(
    [
      'unique_id,ds,auto,auto-q-10,auto-q-50,auto-q-90',
      's,2024-01-06,6,5,6,8',
      's,2024-01-07,7,5,7,9',
      '',
    ].join('\n'),
  );
});

describe('examples', () => {
  test.each([
    ['hourly-demand.csv', 'h', 24, 1],
    ['daily-sales.csv', 'D', 7, 3],
    ['monthly-passengers.csv', 'MS', 12, 1],
  ])('%s can be read', (file, frequency, season, count) => {
    const example = EXAMPLES.find((one) => one.file === file)!;
    chooseText(file, example.make());
    const now = setup.get();
    expect(now.problem).toBeUndefined();
    expect(now.series).toHaveLength(count);
    const shown = shownSeries(now)!;
    expect(frequencyOf(shown)).toBe(frequency);
    expect(seasonOf(shown)).toBe(season);
    expect(shown.values.every((value) => value !== null && Number.isFinite(value))).toBe(true);
    expect(example.make()).toBe(example.make());
  });
});
