/** Requests about series and forecasts in which no model need be named (daemon contract, section 9). */
import { z } from 'zod';
import { checkSeries, FORECAST_FIELDS, ResponseOptions } from './forecast-request.ts';
import { Forecast } from './forecast-response.ts';
import { AnalyzeParameters } from './forecast-variants.ts';
import { LIMITS } from './limits.ts';
import { ModelReference } from './model-reference.ts';
import { Series } from './series.ts';

/** Rules of series that stand for themselves: future covariates would need a horizon. */
const checkAlone = (series: readonly Series[], context: z.RefinementCtx): void =>
  checkSeries(
    {
      series: series.map((one) => ({ ...one, future_covariates: null, actuals: null })),
      horizon: 1,
      parameters: {},
    },
    context,
  );

export const AnalyzeRequest = z
  .strictObject({
    series: z.array(Series).min(1).max(LIMITS.series),
    parameters: AnalyzeParameters.prefault({}),
    response_options: ResponseOptions.prefault({}),
  })
  .superRefine(({ series }, context) => checkAlone(series, context));
export type AnalyzeRequest = z.infer<typeof AnalyzeRequest>;

const Jitter = z.number().min(0).max(2).default(0.2);

export const GenerateVariation = z.strictObject({
  /** Shares by which level, trend and season of a series may differ from its source's. */
  level_jitter: Jitter,
  trend_jitter: Jitter,
  seasonality_jitter: Jitter,
  /** Noise against the source's own. */
  noise_scale: z.number().min(0).max(5).default(1),
  /** Whether series stay at or above 0 where their source does. */
  respect_non_negative: z.boolean().default(true),
});
export type GenerateVariation = z.infer<typeof GenerateVariation>;

export const GenerateRequest = z
  .strictObject({
    series: z.array(Series).min(1).max(32),
    /** New series for each given one. */
    count: z.int().min(1).max(50).default(1),
    /** Points; as many as the source has when absent. */
    length: z.int().min(3).max(5000).nullish(),
    method: z.enum(['statistical']).default('statistical'),
    /** The same seed gives the same series. */
    seed: z.int().nullish(),
    variation: GenerateVariation.prefault({}),
  })
  .superRefine(({ series }, context) => {
    checkAlone(series, context);
    series.forEach(({ id, target }, i) => {
      if (target.length >= 3) return;
      const message = `series '${id}' has ${target.length} values; 3 are needed to learn from`;
      context.addIssue({ code: 'custom', path: ['series', i, 'target'], message });
    });
  });
export type GenerateRequest = z.infer<typeof GenerateRequest>;

/** A forecast that was made before; fields that are not needed are kept as they are. */
export const GivenForecast = z.looseObject({
  model: ModelReference,
  forecasts: z.array(Forecast).min(1).max(LIMITS.series),
  warnings: z.array(z.string()).nullish(),
});
export type GivenForecast = z.infer<typeof GivenForecast>;

export const RECONCILE_METHODS = [
  'bottom_up',
  'top_down',
  'ols',
  'wls_struct',
  'mint_shrink',
] as const;
export type ReconcileMethod = (typeof RECONCILE_METHODS)[number];

const SeriesId = z.string().min(1).max(LIMITS.idLength);

/** Parent -> its children: `{"total": ["north", "south"]}`. */
export const Hierarchy = z.strictObject({
  tree: z.record(SeriesId, z.array(SeriesId).min(1)),
});
export type Hierarchy = z.infer<typeof Hierarchy>;

const RECONCILE_FIELDS = {
  hierarchy: Hierarchy,
  method: z.enum(RECONCILE_METHODS).default('bottom_up'),
  /** Share of its root's total that each leaf has, for top_down; from the forecasts when absent. */
  proportions: z.record(SeriesId, z.number().min(0)).nullish(),
} as const;

const Numbers = z.array(z.number()).max(LIMITS.points);

/** A forecast that is at hand is made to add up. */
export const ReconcileForecastRequest = z.strictObject({
  forecast: GivenForecast,
  ...RECONCILE_FIELDS,
  /** Errors of earlier forecasts by series id, all equally long, for mint_shrink. */
  residuals: z.record(SeriesId, Numbers.min(2)).nullish(),
  /** Only tell whether it adds up. */
  check_only: z.boolean().default(false),
});
export type ReconcileForecastRequest = z.infer<typeof ReconcileForecastRequest>;

/** Backtests of a model: how often, and how far apart. */
const BACKTEST_FIELDS = {
  /** Earlier origins from which the model forecasts what is known by now. */
  windows: z.int().min(1).max(200).default(10),
  /** Steps between origins; the horizon when absent. */
  step: z.int().positive().nullish(),
} as const;

/** All series are forecast by one model, measured by backtests, and made to add up. */
export const ReconcileSeriesRequest = z
  .strictObject({
    model: ModelReference,
    ...RECONCILE_FIELDS,
    ...BACKTEST_FIELDS,
    ...FORECAST_FIELDS,
  })
  .superRefine((request, context) => checkSeries(request, context));
export type ReconcileSeriesRequest = z.infer<typeof ReconcileSeriesRequest>;

const Coverage = z.number().gt(0).lt(1);

const Matrix = z.union([Numbers.min(1), z.array(Numbers.min(1)).min(1)]);

const CONFORMAL_FIELDS = {
  /** Share of values that the interval is to hold. */
  coverage: Coverage.default(0.9),
  /** split: one width; adaptive: in proportion to the size of the forecast. */
  method: z.enum(['split', 'adaptive']).default('split'),
} as const;

const rowLengths = (values: z.infer<typeof Matrix>): string =>
  JSON.stringify(values.map((row) => (Array.isArray(row) ? row.length : 1)));

/** A forecast that is at hand gets intervals from errors that are at hand. */
export const ConformalForecastRequest = z
  .strictObject({
    forecast: GivenForecast,
    /** What came: n values, or n rows of a horizon. */
    actuals: Matrix,
    /** What had been forecast, of the same shape. */
    predictions: Matrix,
    ...CONFORMAL_FIELDS,
  })
  .superRefine(({ actuals, predictions }, context) => {
    const isSame =
      Array.isArray(actuals[0]) === Array.isArray(predictions[0]) &&
      rowLengths(actuals) === rowLengths(predictions);
    if (isSame) return;
    const message = 'predictions must have the shape of actuals';
    context.addIssue({ code: 'custom', path: ['predictions'], message });
  });
export type ConformalForecastRequest = z.infer<typeof ConformalForecastRequest>;

/** A model forecasts, and its own backtests give the intervals. */
export const ConformalSeriesRequest = z
  .strictObject({
    model: ModelReference,
    ...CONFORMAL_FIELDS,
    ...BACKTEST_FIELDS,
    ...FORECAST_FIELDS,
  })
  .superRefine((request, context) => checkSeries(request, context));
export type ConformalSeriesRequest = z.infer<typeof ConformalSeriesRequest>;
