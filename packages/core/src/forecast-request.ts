/** The forecast request: parsed once at the edge; past it nobody checks again. */
import { z } from 'zod';
import { IngestOptions } from './ingest-options.ts';
import { LIMITS } from './limits.ts';
import { ModelReference } from './model-reference.ts';
import { type CovariateValues, isNumericCovariate, Series } from './series.ts';

export const METRIC_NAMES = [
  'mae',
  'mse',
  'rmse',
  'mape',
  'smape',
  'wape',
  'mase',
  'rmsse',
  'pinball',
] as const;

const Metrics = z.strictObject({
  names: z
    .array(z.enum(METRIC_NAMES))
    .min(1)
    .refine((names) => new Set(names).size === names.length, { error: 'names must be unique' }),
  mase_seasonality: z.int().positive().default(1),
});

const TimesFmOptions = z.strictObject({
  xreg_mode: z.enum(['xreg + timesfm', 'timesfm + xreg']).default('xreg + timesfm'),
  ridge: z.number().min(0).default(0),
  force_on_cpu: z.boolean().default(false),
});

export const ForecastParameters = z.strictObject({
  covariates_mode: z.enum(['best_effort', 'strict']).default('best_effort'),
  metrics: Metrics.nullish(),
  timesfm: TimesFmOptions.nullish(),
});

export const Quantiles = z
  .array(z.number().gt(0).lt(1))
  .max(LIMITS.quantiles)
  .refine((levels) => levels.every((level, i) => i === 0 || level > levels[i - 1]!), {
    error: 'quantiles must be strictly ascending and unique',
  });

export const DEFAULT_QUANTILES: readonly number[] = [0.1, 0.5, 0.9];

/** Parts that an answer has on demand. */
export const ResponseOptions = z.strictObject({
  /** Sentences for people, as `narrative`. */
  narrative: z.boolean().default(false),
  /** The numbers behind the explanation. */
  explain: z.boolean().default(false),
});
export type ResponseOptions = z.infer<typeof ResponseOptions>;

/** Fields of every request that ends in forecasts; a model's own options stand in `options`. */
export const FORECAST_FIELDS = {
  horizon: z.int().positive().max(LIMITS.horizon),
  series: z.array(Series).min(1).max(LIMITS.series),
  quantiles: Quantiles.default([...DEFAULT_QUANTILES]),
  options: z.record(z.string(), z.unknown()).default({}),
  parameters: ForecastParameters.prefault({}),
  keep_alive: z.union([z.string(), z.number()]).nullish(),
  timeout: z.number().positive().nullish(),
  response_options: ResponseOptions.prefault({}),
} as const;

/** A forecast request whose series are at hand. `modelfile`, `data_url` and `ingest` are spent by then. */
export const ForecastRequest = z
  .strictObject({
    model: ModelReference,
    ...FORECAST_FIELDS,
    modelfile: z.string().min(1).nullish(),
    data_url: z.string().min(1).nullish(),
    ingest: IngestOptions.nullish(),
  })
  .superRefine((request, context) => {
    if (typeof request.data_url === 'string') {
      const message = 'give either series or data_url, not both';
      context.addIssue({ code: 'custom', path: ['data_url'], message });
    }
    checkSeries(request, context);
  });
export type ForecastRequest = z.infer<typeof ForecastRequest>;

type Issue = (path: (string | number)[], message: string) => void;

/** Rules across fields: lengths, unique ids, covariates that agree over past and future. */
export const checkSeries = (
  {
    series,
    horizon,
    parameters,
  }: { series: Series[]; horizon: number; parameters: { metrics?: unknown } },
  context: z.RefinementCtx,
): void => {
  const issue: Issue = (path, message) => context.addIssue({ code: 'custom', path, message });
  const ids = new Set<string>();
  series.forEach((one, i) => {
    if (ids.has(one.id)) issue(['series', i, 'id'], `series id '${one.id}' is used twice`);
    ids.add(one.id);
    checkLengths(one, i, horizon, issue);
    checkCovariates(one, i, horizon, issue);
    if (parameters.metrics && !one.actuals) {
      issue(['series', i, 'actuals'], `metrics need the actuals of series '${one.id}'`);
    }
  });
};

const checkLengths = (one: Series, i: number, horizon: number, issue: Issue): void => {
  const { timestamps, target, actuals, missing_indices } = one;
  const beyond = missing_indices?.find((at) => at >= target.length);
  if (beyond !== undefined) {
    issue(
      ['series', i, 'missing_indices'],
      `place ${beyond} is beyond the ${target.length} values of target`,
    );
  }
  if (timestamps.length !== target.length) {
    issue(
      ['series', i, 'target'],
      `target has ${target.length} values for ${timestamps.length} timestamps`,
    );
  }
  if (actuals && actuals.length !== horizon) {
    issue(
      ['series', i, 'actuals'],
      `actuals has ${actuals.length} values, the horizon is ${horizon}`,
    );
  }
};

const checkCovariates = (one: Series, i: number, horizon: number, issue: Issue): void => {
  const past: Record<string, CovariateValues> = one.past_covariates ?? {};
  for (const [name, values] of Object.entries(past)) {
    if (values.length !== one.target.length) {
      issue(
        ['series', i, 'past_covariates', name],
        `covariate '${name}' has ${values.length} values, target has ${one.target.length}`,
      );
    }
  }
  for (const [name, values] of Object.entries(one.future_covariates ?? {})) {
    const path = ['series', i, 'future_covariates', name];
    const known = past[name];
    if (values.length !== horizon) {
      issue(path, `covariate '${name}' has ${values.length} values, the horizon is ${horizon}`);
    }
    if (known === undefined) issue(path, `covariate '${name}' must be in past_covariates too`);
    else if (isNumericCovariate(known) !== isNumericCovariate(values)) {
      issue(path, `covariate '${name}' has numbers on one side and words on the other`);
    }
  }
};
