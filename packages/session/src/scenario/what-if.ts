/** What if: the same forecast under other assumptions, beside the one that is expected. */

import type { Predict } from '../anomaly/detect.ts';
import type {
  ForecastResult,
  ForecastTask,
  SeriesForecast,
  TaskSeries,
} from '../backend/backend.ts';

/** Changes to what is known; covariates by name, values of the target multiplied and shifted. */
export interface Scenario {
  readonly name: string;
  /** Replaces covariates over the horizon. */
  readonly futureCovariates?: Readonly<Record<string, readonly number[]>>;
  /** Adds to covariates over the horizon. */
  readonly shiftCovariates?: Readonly<Record<string, number>>;
  /** The last points of the target times a factor: a shock that has just happened. */
  readonly shock?: { readonly points: number; readonly factor: number };
}

export interface ScenarioForecast {
  readonly name: string;
  readonly forecast: SeriesForecast;
  /** [horizon] mean less the expected one. */
  readonly difference: Float64Array;
}

const under = (one: TaskSeries, scenario: Scenario): TaskSeries => {
  const future = { ...one.futureCovariates, ...scenario.futureCovariates };
  for (const [name, shift] of Object.entries(scenario.shiftCovariates ?? {})) {
    const values = future[name];
    if (values) future[name] = values.map((value) => value + shift);
  }
  const target = one.target.slice();
  const { points, factor } = scenario.shock ?? { points: 0, factor: 1 };
  for (let i = Math.max(0, target.length - points); i < target.length; i++) target[i]! *= factor;
  return {
    ...one,
    target,
    ...(Object.keys(future).length > 0 && { futureCovariates: future }),
  };
};

/**
 * Forecasts one series as it is and under each scenario, in one call to the model.
 *
 * @example
 * const [, sale] = await whatIf(series, predict, [{ name: 'sale', shiftCovariates: { price: -2 } }], { horizon: 7, quantiles: [0.1, 0.9] });
 */
export const whatIf = async (
  series: TaskSeries,
  predict: Predict,
  scenarios: readonly Scenario[],
  task: Pick<ForecastTask, 'horizon' | 'quantiles' | 'options' | 'signal'>,
): Promise<ScenarioForecast[]> => {
  const all = [{ name: 'expected' }, ...scenarios];
  const { forecasts }: ForecastResult = await predict({
    ...task,
    series: all.map((scenario, i) => ({ ...under(series, scenario), id: String(i) })),
  });
  const byId = new Map(forecasts.map((forecast) => [forecast.id, forecast]));
  const expected = byId.get('0')!;
  return all.map(({ name }, i) => {
    const forecast = { ...byId.get(String(i))!, id: series.id };
    const difference = forecast.mean.map((value, h) => value - expected.mean[h]!);
    return { name, forecast, difference };
  });
};
