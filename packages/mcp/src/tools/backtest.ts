import { FORECAST_FIELDS } from '@tollama/core/forecast-request';
import { DEFAULT_MODEL } from '@tollama/core/statistical';
import { z } from 'zod';
import { checkWork, forecastWindows, type WindowForecast } from '../backtest/forecast-windows.ts';
import { LEVELS, Scores, scoresOf } from '../backtest/scores.ts';
import { rollingWindows, type Window } from '../backtest/windows.ts';
import { compactNumber } from '../phrases.ts';
import { DATA_FIELDS, defaultHorizon, seriesOf } from '../series-input.ts';
import { type Call, READS, type Tool } from '../tool.ts';

/** How the ends of series are held out. */
export const BACKTEST_FIELDS = {
  horizon: FORECAST_FIELDS.horizon
    .optional()
    .describe('steps of each forecast; two seasons of the data when absent'),
  windows: z.int().min(1).max(50).default(3).describe('forecasts of each series'),
  step: z.int().positive().optional().describe('steps between two origins; the horizon if absent'),
} as const;

/** What every model has to beat. */
export const BASELINE = 'seasonal-naive';

const Input = z.strictObject({
  ...DATA_FIELDS,
  model: z.string().min(1).default(DEFAULT_MODEL).describe('a name of list_models'),
  ...BACKTEST_FIELDS,
});

const Output = z.object({
  model: z.string(),
  horizon: z.number(),
  windows: z.number(),
  scores: Scores,
  /** Of the seasonal naive forecast on the same windows. */
  baseline: z.object({ model: z.string(), scores: Scores }),
  /** 1 - mase / mase of the baseline; above 0 is better than the baseline. */
  skill: z.number().nullable(),
  series: z.array(z.object({ id: z.string(), scores: Scores })),
  cutoffs: z.array(
    z.object({ id: z.string(), cutoff: z.string().describe('last known time'), scores: Scores }),
  ),
  warnings: z.array(z.string()),
});

export interface Prepared {
  readonly windows: readonly Window[];
  readonly horizon: number;
  readonly ids: readonly string[];
}

/** Reads the data and cuts its windows. */
export const prepareWindows = async (
  input: z.output<typeof Input>,
  call: Call,
  models: number,
): Promise<Prepared> => {
  const series = await seriesOf(input, call);
  const horizon = input.horizon ?? defaultHorizon(series);
  const options = { horizon, windows: input.windows, step: input.step ?? horizon };
  const windows = rollingWindows(series, options);
  checkWork(windows, models);
  return { windows, horizon, ids: series.map(({ id }) => id) };
};

export const skillOf = (own: Scores, base: Scores): number | null =>
  own.mase === null || !base.mase ? null : 1 - own.mase / base.mase;

const bySeries = (forecasts: readonly WindowForecast[], ids: readonly string[]) =>
  ids.map((id, place) => ({
    id,
    scores: scoresOf(forecasts.filter(({ window }) => window.place === place)),
  }));

export const backtest: Tool<typeof Input, typeof Output> = {
  name: 'backtest',
  title: 'Backtest a model',
  description:
    'Measures how well a model would have forecast the ends of the given series: each window is forecast from what came before it. The seasonal naive forecast is measured beside it.',
  input: Input,
  output: Output,
  annotations: READS,
  async run(input, call) {
    const { model } = input;
    const { client } = call.context;
    const { windows, horizon, ids } = await prepareWindows(input, call, 2);
    const request = { horizon, quantiles: LEVELS };
    const ask = (name: string, before: number) =>
      forecastWindows(
        windows,
        { ...request, model: name },
        {
          client,
          signal: call.signal,
          onDone: (done) =>
            call.progress.report(
              before + done,
              2 * windows.length,
              `${name}: ${done} of ${windows.length} windows`,
            ),
        },
      );
    const own = await ask(model, 0);
    const base = model === BASELINE ? own : await ask(BASELINE, windows.length);
    const scores = scoresOf(own.forecasts);
    const baseline = scoresOf(base.forecasts);
    return {
      model,
      horizon,
      windows: input.windows,
      scores,
      baseline: { model: BASELINE, scores: baseline },
      skill: skillOf(scores, baseline),
      series: bySeries(own.forecasts, ids),
      cutoffs: own.forecasts.map((one) => ({
        id: ids[one.window.place]!,
        cutoff: one.window.history.timestamps.at(-1)!,
        scores: scoresOf([one]),
      })),
      warnings: [...own.warnings],
    };
  },
  summarize({ model, scores, baseline, skill, horizon, windows, warnings }) {
    const number = (value: number | null): string => (value === null ? '-' : compactNumber(value));
    const verdict =
      skill === null
        ? ''
        : skill > 0
          ? ` ${model} is ${compactNumber(100 * skill)}% better than ${baseline.model}.`
          : ` ${model} is not better than ${baseline.model}.`;
    return [
      `${windows} windows of ${horizon} steps: ${model} has MASE ${number(scores.mase)}, WQL ${number(scores.wql)}, MAE ${number(scores.mae)}; ${baseline.model} has MASE ${number(baseline.scores.mase)}.${verdict}`,
      ...warnings.map((warning) => `Warning: ${warning}`),
    ].join('\n');
  },
};
