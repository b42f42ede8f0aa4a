/** Forecasts with intervals that held what was asked of them in the past. */
import { TollamaError } from '@tollama/core/errors';
import { type Forecast, type ForecastResponse, quantileKey } from '@tollama/core/forecast-response';
import { asForecastRequest } from '@tollama/core/forecast-variants';
import type {
  ConformalForecastRequest,
  ConformalSeriesRequest,
} from '@tollama/core/series-requests';
import { runBacktest } from '../auto/run-backtest.ts';
import type { DaemonContext } from '../context.ts';
import { reEnriched } from '../forecast/enrich.ts';
import { type Caller, serveForecast } from '../forecast/serve-forecast.ts';
import {
  type Calibration,
  type CalibrationRow,
  type ConformalMethod,
  calibrate,
  intervalAround,
  neededScores,
} from './calibrate.ts';

interface Choice {
  readonly coverage: number;
  readonly method: ConformalMethod;
}

/** The interval's bounds as quantiles beside those that the forecast has, ascending. */
const withInterval = <F extends Forecast>(
  forecast: F,
  calibration: Calibration,
  { coverage, method }: Choice,
): F => {
  const { lower, upper } = intervalAround(forecast.mean, calibration, method);
  const tail = (1 - coverage) / 2;
  const quantiles = {
    ...forecast.quantiles,
    [quantileKey(tail)]: lower,
    [quantileKey(1 - tail)]: upper,
  };
  const ascending = Object.entries(quantiles).toSorted(([a], [b]) => Number(a) - Number(b));
  return { ...forecast, quantiles: Object.fromEntries(ascending) };
};

const fewScores = (what: string, { scores }: Calibration, coverage: number): string =>
  `${what}: ${scores} errors are too few to promise a coverage of ${coverage}; ${neededScores(coverage)} are needed, the largest one is used`;

const summary = (calibration: Calibration) => ({
  widths: calibration.widths,
  by_step: calibration.isByStep,
  scores: calibration.scores,
});

const noErrors = (hint: string): never => {
  throw new TollamaError('INVALID_REQUEST', 'there are no errors to calibrate with', { hint });
};

/** Intervals for a forecast that is at hand, from errors that are at hand. */
export const conformalForecast = (request: ConformalForecastRequest) => {
  const { forecast, actuals, predictions, coverage, method } = request;
  const rows: CalibrationRow[] = actuals.map((row, i) => {
    const predicted = predictions[i]!;
    return {
      actual: Array.isArray(row) ? row : [row],
      predicted: Array.isArray(predicted) ? predicted : [predicted],
    };
  });
  const calibration =
    calibrate(rows, coverage, method) ?? noErrors('give actuals and predictions with values');
  const steps = Math.max(...rows.map(({ actual }) => actual.length));
  const warnings = [
    ...(forecast.warnings ?? []),
    ...(calibration.isTooFew ? [fewScores('calibration', calibration, coverage)] : []),
    ...forecast.forecasts
      .filter(({ mean }) => steps > 1 && mean.length !== steps)
      .map(
        ({ id, mean }) =>
          `series '${id}': the forecast has ${mean.length} steps, the calibration ${steps}`,
      ),
  ];
  return {
    ...forecast,
    forecasts: forecast.forecasts.map((one) =>
      withInterval(one, calibration, { coverage, method }),
    ),
    calibration: { coverage, method, ...summary(calibration) },
    warnings: warnings.length > 0 ? warnings : null,
  };
};

/** A forecast by a model, with intervals from the model's own backtests on the same series. */
export const conformalSeries = async (
  request: ConformalSeriesRequest,
  context: DaemonContext,
  caller: Caller,
): Promise<ForecastResponse & { readonly calibration: unknown }> => {
  const { model, coverage, method } = request;
  const plain = asForecastRequest(model, request);
  const outcomes = await runBacktest(plain, request, context, caller.signal);
  const pooled = calibrate(outcomes.flat(), coverage, method);
  if (!pooled) {
    return noErrors('send a longer history: at least the horizon and 4 points before it');
  }
  const bare = { ...plain, parameters: { ...plain.parameters, metrics: null } };
  const response = await serveForecast(context, bare, caller);
  // A series that is too short to be calibrated by itself takes the errors of all.
  const own = outcomes.map((rows) => {
    const found = calibrate(rows, coverage, method);
    return found && !found.isTooFew ? found : { ...pooled, isPooled: true };
  });
  const notes = request.series.flatMap(({ id }, i) => {
    const calibration = own[i]!;
    if (calibration.isTooFew) return [fewScores(`series '${id}'`, calibration, coverage)];
    return 'isPooled' in calibration && request.series.length > 1
      ? [`series '${id}' is calibrated by the errors of all series`]
      : [];
  });
  const calibrated = {
    ...response,
    forecasts: response.forecasts.map((one, i) => withInterval(one, own[i]!, { coverage, method })),
    warnings: [...(response.warnings ?? []), ...notes],
  };
  return {
    ...reEnriched(plain, calibrated),
    calibration: {
      coverage,
      method,
      series: request.series.map(({ id }, i) => ({
        id,
        windows: outcomes[i]!.length,
        ...summary(own[i]!),
      })),
    },
  };
};
