import { TollamaError } from '@tollama/core/errors';
import { FORECAST_FIELDS, ForecastParameters } from '@tollama/core/forecast-request';
import { type Forecast, ForecastResponse } from '@tollama/core/forecast-response';
import { DEFAULT_MODEL } from '@tollama/core/statistical';
import { z } from 'zod';
import { addressOf } from '../addresses.ts';
import { LIMITS } from '../limits.ts';
import { compactNumber, joinedNames } from '../phrases.ts';
import { DATA_FIELDS, defaultHorizon, seriesOf } from '../series-input.ts';
import { READS, type Tool } from '../tool.ts';

const Input = z.strictObject({
  ...DATA_FIELDS,
  model: z.string().min(1).default(DEFAULT_MODEL).describe('a name of list_models'),
  horizon: FORECAST_FIELDS.horizon
    .optional()
    .describe('steps to forecast; two seasons of the data when absent'),
  quantiles: FORECAST_FIELDS.quantiles.describe('levels between 0 and 1, ascending'),
  covariates_mode: ForecastParameters.shape.covariates_mode.describe(
    'best_effort drops covariates that the model cannot use, strict refuses them',
  ),
  options: FORECAST_FIELDS.options.describe("the model's own options, such as num_samples"),
});

const Output = ForecastResponse.extend({
  run: z.string().describe('address of this forecast, readable as a resource for a while'),
});

const checkSteps = (series: number, horizon: number): void => {
  if (series * horizon <= LIMITS.forecastSteps) return;
  throw new TollamaError(
    'INVALID_REQUEST',
    `${series} series of ${horizon} steps are more than the ${LIMITS.forecastSteps} steps of one call`,
    { hint: 'ask for fewer series or a shorter horizon' },
  );
};

/** 'sales from 2024-07-01: 12.1 ... 14.8 (80%: 11.2 ... 16)'. */
const sentence = ({ id, mean, quantiles, start_timestamp }: Forecast): string => {
  const ends = (values: readonly number[]): string =>
    `${compactNumber(values[0]!)} ... ${compactNumber(values.at(-1)!)}`;
  const levels = Object.keys(quantiles ?? {}).toSorted((a, b) => Number(a) - Number(b));
  const [low, high] = [levels[0], levels.at(-1)];
  const last = mean.length - 1;
  const spread =
    low === undefined || high === undefined || low === high
      ? ''
      : `; at the last step the ${low} and ${high} quantiles are ${compactNumber(quantiles![low]![last]!)} and ${compactNumber(quantiles![high]![last]!)}`;
  return `${id} from ${start_timestamp}: ${ends(mean)}${spread}`;
};

export const forecast: Tool<typeof Input, typeof Output> = {
  name: 'forecast',
  title: 'Forecast time series',
  description:
    'Forecasts every series: a mean and quantiles for each coming step. Give at least a few seasons of history. The model must be installed (see list_models, pull_model); "auto" always is.',
  input: Input,
  output: Output,
  annotations: READS,
  async run(input, call) {
    const { model, quantiles, covariates_mode, options } = input;
    const { client, runs } = call.context;
    const series = await seriesOf(input, call);
    const horizon = input.horizon ?? defaultHorizon(series);
    checkSteps(series.length, horizon);
    call.progress.report(0, 1, `forecasting ${series.length} series with ${model}`);
    const settings = { model, horizon, quantiles, options, parameters: { covariates_mode } };
    const body = { ...settings, series: [...series] };
    const response = await client.forecast(body, { signal: call.signal });
    call.progress.report(1, 1, 'done');
    const asked = {
      ...settings,
      series: series.map(({ id, target }) => ({ id, points: target.length })),
    };
    const { id } = runs.add(asked, response);
    return { ...response, run: addressOf('run', id) };
  },
  summarize({ model, forecasts, warnings, run }) {
    const shown = forecasts.slice(0, LIMITS.namedSeries);
    const rest = forecasts.length - shown.length;
    return [
      `${model} forecast ${forecasts[0]?.mean.length ?? 0} steps of ${joinedNames(forecasts.map(({ id }) => id))}.`,
      ...shown.map(sentence),
      ...(rest > 0 ? [`and ${rest} more series in the structured answer`] : []),
      ...(warnings ?? []).map((warning) => `Warning: ${warning}`),
      `Kept as ${run}.`,
    ].join('\n');
  },
};
