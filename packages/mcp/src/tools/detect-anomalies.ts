import { TollamaError } from '@tollama/core/errors';
import { FORECAST_FIELDS } from '@tollama/core/forecast-request';
import type { Series } from '@tollama/core/series';
import { DEFAULT_MODEL } from '@tollama/core/statistical';
import { z } from 'zod';
import { judgeWindow, LEVELS, NORMAL_QUANTILES, SURE_LEVELS } from '../backtest/anomalies.ts';
import {
  checkWork,
  forecastWindows,
  type WindowForecast,
  type WindowForecasts,
} from '../backtest/forecast-windows.ts';
import { rollingWindows, type Window } from '../backtest/windows.ts';
import { LIMITS } from '../limits.ts';
import { compactNumber } from '../phrases.ts';
import { DATA_FIELDS, seasonOf, seriesOf } from '../series-input.ts';
import { type Call, READS, type Tool } from '../tool.ts';

const Input = z.strictObject({
  ...DATA_FIELDS,
  model: z.string().min(1).default(DEFAULT_MODEL).describe('a name of list_models'),
  level: z
    .literal(SURE_LEVELS)
    .default(99)
    .describe('percent of values that are normal: a value outside of this interval is reported'),
  detection_size: z
    .int()
    .positive()
    .optional()
    .describe('how many of the latest points are judged; a third of them, at most 200, if absent'),
  horizon: FORECAST_FIELDS.horizon
    .optional()
    .describe(
      'steps that each forecast judges; a season, at most a tenth of the points, if absent',
    ),
});

const Anomaly = z.object({
  id: z.string(),
  index: z.number(),
  timestamp: z.string(),
  value: z.number(),
  expected: z.number().describe('the median forecast'),
  low: z.number(),
  high: z.number(),
  score: z.number().describe('distance from what was expected, in standard deviations'),
});

const Output = z.object({
  model: z.string(),
  level: z.number(),
  judged_points: z.number(),
  anomalies: z.array(Anomaly),
  warnings: z.array(z.string()),
});

const LEAST_HISTORY = 8;
const MOST_JUDGED = 200;

type JudgedWindow = Window & { readonly horizon: number };

/** Windows side by side over the latest points; the first may reach further back, for all are of one length. */
const windowsToJudge = (
  one: Series,
  place: number,
  wanted: { readonly size: number | undefined; readonly horizon: number | undefined },
): readonly JudgedWindow[] => {
  const points = one.target.length;
  const most = points - LEAST_HISTORY;
  if (most < 1) {
    const message = `series '${one.id}' has ${points} points; ${LEAST_HISTORY + 1} are needed`;
    throw new TollamaError('INVALID_REQUEST', message);
  }
  const size = Math.min(wanted.size ?? Math.min(MOST_JUDGED, Math.ceil(points / 3)), most);
  const season = Math.min(seasonOf(one), Math.max(1, Math.floor(points / 10)));
  const horizon = Math.min(wanted.horizon ?? season, size);
  const windows = Math.max(1, Math.min(Math.ceil(size / horizon), Math.floor(most / horizon)));
  const options = { horizon, windows, step: horizon };
  return rollingWindows([one], options).map((window) => ({ ...window, place, horizon }));
};

/** Forecasts all windows, those of one length together. */
const forecastAll = async (
  windows: readonly JudgedWindow[],
  model: string,
  { context: { client }, signal, progress }: Call,
): Promise<WindowForecasts> => {
  const forecasts: WindowForecast[] = [];
  const warnings = new Set<string>();
  for (const [horizon, group] of Map.groupBy(windows, (window) => window.horizon)) {
    const before = forecasts.length;
    const onDone = (done: number): void =>
      progress.report(before + done, windows.length, `${before + done} windows judged`);
    const request = { model, horizon, quantiles: LEVELS };
    const answer = await forecastWindows(group, request, { client, signal, onDone });
    forecasts.push(...answer.forecasts);
    for (const warning of answer.warnings) warnings.add(warning);
  }
  return { forecasts, warnings: [...warnings] };
};

export const detectAnomalies: Tool<typeof Input, typeof Output> = {
  name: 'detect_anomalies',
  title: 'Detect anomalies',
  description:
    'Finds values among the latest points of series that a forecast from the points before them would not have expected.',
  input: Input,
  output: Output,
  annotations: READS,
  async run(input, call) {
    const { model, level } = input;
    const series = await seriesOf(input, call);
    const wanted = { size: input.detection_size, horizon: input.horizon };
    const windows = series.flatMap((one, place) => windowsToJudge(one, place, wanted));
    checkWork(windows);
    const { forecasts, warnings } = await forecastAll(windows, model, call);
    const anomalies = forecasts.flatMap((one) => {
      const { id, timestamps } = series[one.window.place]!;
      return judgeWindow(one, NORMAL_QUANTILES[level]).map((found) => ({
        id,
        timestamp: timestamps[found.index]!,
        ...found,
      }));
    });
    return {
      model,
      level,
      judged_points: windows.reduce((sum, { horizon }) => sum + horizon, 0),
      anomalies: anomalies.toSorted((a, b) => b.score - a.score),
      warnings: [...warnings],
    };
  },
  summarize({ anomalies, judged_points, model, level }) {
    const shown = anomalies.slice(0, LIMITS.namedSeries);
    const rest = anomalies.length - shown.length;
    return [
      `${anomalies.length} of ${judged_points} points are outside of the ${level}% interval of ${model}.`,
      ...shown.map(
        ({ id, timestamp, value, expected, score }) =>
          `${id} at ${timestamp}: ${compactNumber(value)}, expected ${compactNumber(expected)} (${compactNumber(score)} standard deviations off)`,
      ),
      ...(rest > 0 ? [`and ${rest} more in the structured answer`] : []),
    ].join('\n');
  },
};
