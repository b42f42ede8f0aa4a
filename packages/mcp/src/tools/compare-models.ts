import { errorMessage } from '@tollama/core/errors';
import { DEFAULT_MODEL } from '@tollama/core/statistical';
import { z } from 'zod';
import { forecastWindows } from '../backtest/forecast-windows.ts';
import { LEVELS, Scores, scoresOf } from '../backtest/scores.ts';
import { compactNumber } from '../phrases.ts';
import { DATA_FIELDS } from '../series-input.ts';
import { READS, type Tool } from '../tool.ts';
import { BACKTEST_FIELDS, BASELINE, prepareWindows, skillOf } from './backtest.ts';

const Input = z.strictObject({
  ...DATA_FIELDS,
  models: z
    .array(z.string().min(1))
    .min(1)
    .max(10)
    .default([DEFAULT_MODEL])
    .describe('names of list_models; the seasonal naive forecast is always added'),
  ...BACKTEST_FIELDS,
});

const Output = z.object({
  horizon: z.number(),
  windows: z.number(),
  /** The best first. */
  ranking: z.array(
    z.object({
      rank: z.number(),
      model: z.string(),
      scores: Scores,
      skill: z.number().nullable().describe('1 - MASE / MASE of seasonal-naive'),
      seconds: z.number(),
    }),
  ),
  failures: z.array(z.object({ model: z.string(), error: z.string() })),
  warnings: z.array(z.string()),
});

/** By mase, else by the quantile loss; without either at the end. */
const rankBy = ({ mase, wql }: Scores): number => mase ?? wql ?? Number.POSITIVE_INFINITY;

export const compareModels: Tool<typeof Input, typeof Output> = {
  name: 'compare_models',
  title: 'Compare models on the data',
  description:
    'Backtests several models on the same windows of the given series and ranks them; the seasonal naive forecast is always in the table. A model that fails is listed with its error.',
  input: Input,
  output: Output,
  annotations: READS,
  async run(input, call) {
    const models = [...new Set([...input.models, BASELINE])];
    const { windows, horizon } = await prepareWindows(
      { ...input, model: BASELINE },
      call,
      models.length,
    );
    const total = models.length * windows.length;
    const rows: { model: string; scores: Scores; seconds: number }[] = [];
    const failures: { model: string; error: string }[] = [];
    const warnings = new Set<string>();
    for (const [i, model] of models.entries()) {
      const started = performance.now();
      const onDone = (done: number): void =>
        call.progress.report(i * windows.length + done, total, `${model}: ${done} windows`);
      try {
        const { client } = call.context;
        const request = { model, horizon, quantiles: LEVELS };
        const answer = await forecastWindows(windows, request, {
          client,
          signal: call.signal,
          onDone,
        });
        for (const warning of answer.warnings) warnings.add(`${model}: ${warning}`);
        const seconds = (performance.now() - started) / 1000;
        rows.push({ model, scores: scoresOf(answer.forecasts), seconds });
      } catch (error) {
        call.signal.throwIfAborted();
        failures.push({ model, error: errorMessage(error) });
      }
    }
    const base = rows.find(({ model }) => model === BASELINE);
    const ranking = rows
      .toSorted((a, b) => rankBy(a.scores) - rankBy(b.scores))
      .map((row, place) => ({
        rank: place + 1,
        ...row,
        skill: base ? skillOf(row.scores, base.scores) : null,
      }));
    return { horizon, windows: input.windows, ranking, failures, warnings: [...warnings] };
  },
  summarize({ ranking, failures, horizon, windows }) {
    const score = (value: number | null): string => (value === null ? '-' : compactNumber(value));
    return [
      `${windows} windows of ${horizon} steps, the best first:`,
      ...ranking.map(
        ({ rank, model, scores }) =>
          `${rank}. ${model}: MASE ${score(scores.mase)}, WQL ${score(scores.wql)}, MAE ${score(scores.mae)}`,
      ),
      ...failures.map(({ model, error }) => `${model} failed: ${error}`),
    ].join('\n');
  },
};
