/** What would have come without an intervention, and how far what came is from it. */
import type { ForecastRequest } from '@tollama/core/forecast-request';
import type { Forecast } from '@tollama/core/forecast-response';
import { asForecastRequest, type CounterfactualRequest } from '@tollama/core/forecast-variants';
import type { Series } from '@tollama/core/series';
import { mean, observedTarget } from '../analysis/observed.ts';
import { type Caller, type ForecastParts, serveForecast } from '../forecast/serve-forecast.ts';

/** The series before the intervention. Covariates went on as they did, so their later values are known. */
const before = (series: Series, index: number): Series => {
  const past = Object.entries(series.past_covariates ?? {});
  return {
    ...series,
    timestamps: series.timestamps.slice(0, index),
    target: series.target.slice(0, index),
    missing_indices: series.missing_indices?.filter((at) => at < index) ?? null,
    past_covariates: Object.fromEntries(
      past.map(([name, values]) => [name, values.slice(0, index)]),
    ) as Series['past_covariates'],
    future_covariates: Object.fromEntries(
      past.map(([name, values]) => [name, values.slice(index)]),
    ) as Series['future_covariates'],
    actuals: null,
  };
};

type Direction = 'above_counterfactual' | 'below_counterfactual' | 'neutral';

const directionOf = (total: number, size: number): Direction => {
  if (Math.abs(total) <= 1e-9 * size) return 'neutral';
  return total > 0 ? 'above_counterfactual' : 'below_counterfactual';
};

/** Steps at which what came lies outside of the outermost quantiles. */
const outsideBand = ({ quantiles }: Forecast, actual: readonly number[]): number | null => {
  const levels = Object.keys(quantiles ?? {}).toSorted((a, b) => Number(a) - Number(b));
  if (!quantiles || levels.length < 2) return null;
  const [low, high] = [quantiles[levels[0]!]!, quantiles[levels.at(-1)!]!];
  return actual.filter((value, i) => value < low[i]! || value > high[i]!).length;
};

/** The effect on one series; steps whose value is missing count as no difference. */
export const effectOf = (series: Series, forecast: Forecast, index: number) => {
  const values = observedTarget(series).subarray(index);
  const counterfactual = forecast.mean;
  const actual = Array.from(values, (value, i) =>
    Number.isNaN(value) ? counterfactual[i]! : value,
  );
  const delta = actual.map((value, i) => value - counterfactual[i]!);
  const absolute_delta = delta.map(Math.abs);
  const total_delta = delta.reduce((sum, value) => sum + value, 0);
  const expected = counterfactual.reduce((sum, value) => sum + Math.abs(value), 0);
  return {
    id: series.id,
    actual,
    counterfactual,
    delta,
    absolute_delta,
    mean_absolute_delta: mean(absolute_delta),
    total_delta,
    average_delta_pct: expected > 0 ? (100 * total_delta) / expected : null,
    direction: directionOf(total_delta, expected + Math.abs(total_delta)),
    steps_outside_band: outsideBand(forecast, actual),
  };
};

export const counterfactual = async (
  request: CounterfactualRequest,
  parts: ForecastParts,
  caller: Caller,
) => {
  const { model, series, intervention_index, intervention_label } = request;
  const horizon = series[0]!.target.length - intervention_index;
  const earlier: ForecastRequest = {
    ...asForecastRequest(model, { ...request, horizon }),
    series: series.map((one) => before(one, intervention_index)),
    parameters: { ...request.parameters, metrics: null },
  };
  const baseline = await serveForecast(parts, earlier, caller);
  return {
    model,
    horizon,
    intervention_index,
    intervention_label: intervention_label ?? null,
    baseline,
    results: series.map((one, i) => effectOf(one, baseline.forecasts[i]!, intervention_index)),
    warnings: baseline.warnings,
  };
};
