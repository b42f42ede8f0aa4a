import { ForecastRequest } from '@tollama/core/forecast-request';
import type { ForecastResponse } from '@tollama/core/forecast-response';
import { expect, test } from 'vitest';
import { enrich } from './enrich.ts';

const season = [0, 3, 8, 3, 0, -6, -8];
const weekly = (length: number) => Array.from({ length }, (_, i) => 20 + i / 10 + season[i % 7]!);

const ask = (target: number[], mean: number[], fields: object = {}, width = 1) => {
  const request = ForecastRequest.parse({
    model: 'm',
    horizon: mean.length,
    series: [
      {
        id: 's',
        freq: 'D',
        timestamps: target.map((_, i) => String(i)),
        target,
        actuals: mean.map((value) => value + 1),
      },
    ],
    ...fields,
  });
  const forecasts = [
    {
      id: 's',
      freq: 'D',
      start_timestamp: 'x',
      mean,
      quantiles: { '0.1': mean.map((v) => v - width), '0.9': mean.map((v) => v + width) },
    },
  ];
  return enrich(request, { forecasts, warnings: null } as unknown as ForecastResponse);
};

test('the explanation is the same for the same numbers', () => {
  const { explanation, narrative, metrics } = ask(weekly(70), [27, 28, 29]);
  expect(explanation!.series).toMatchInlineSnapshot(`
    [
      {
        "confidence_assessment": "high: the 10% to 90% band is 0.1447 times as wide as the history's own spread",
        "historical_comparison": "the forecast's mean 28 is 19.4% above the history's mean 23.45",
        "id": "s",
        "notable_patterns": [
          "repeats every 7 steps (autocorrelation 0.9989)",
        ],
        "trend_direction": "up",
      },
    ]
  `);
  expect(narrative).toBeNull();
  expect(metrics).toBeNull();
});

test('directions, wide bands, constant histories', () => {
  const rising = ask([1, 2, 3, 4, 5, 6, 7, 8, 9], [10, 11, 12], {}, 50).explanation!.series[0]!;
  expect(rising.trend_direction).toBe('up');
  expect(rising.confidence_assessment).toMatch(/^low/);
  expect(rising.notable_patterns).toContain("the forecast rises above the history's range 1 to 9");
  const constant = ask(Array<number>(9).fill(5), [5, 5, 5], {}, 0).explanation!.series[0]!;
  expect(constant.trend_direction).toBe('flat');
  expect(constant.notable_patterns).toContain('the history is constant');
  expect(ask([3, 2, 1], [0, -1, -2]).explanation!.series[0]!.trend_direction).toBe('down');
});

test('details and a narrative on demand', () => {
  const { explanation, narrative } = ask(weekly(70), [27, 28, 29], {
    response_options: { narrative: true, explain: true },
  });
  expect(explanation!.series[0]!.evidence).toMatchObject({ history: { points: 70 } });
  expect(narrative!.series[0]).toMatchObject({
    id: 's',
    trend: { direction: 'up' },
    confidence: { level: 'high' },
    seasonality: { detected: true, period: 7 },
    anomalies: { count: 0, indices: [] },
  });
});

test('metrics without a value are left out with a warning', () => {
  const { metrics, warnings } = ask(Array<number>(9).fill(5), [5, 5, 5], {
    parameters: { metrics: { names: ['mae', 'mase'] } },
  });
  expect(metrics).toEqual({ aggregate: { mae: 1 }, series: [{ id: 's', values: { mae: 1 } }] });
  expect(warnings).toEqual([
    "metric 'mase' left out for series 's': the history is too short for its lag, or its naive errors are all 0",
  ]);
});
