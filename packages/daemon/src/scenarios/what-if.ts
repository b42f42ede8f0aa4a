/** A forecast as the data are, and under changes of them. */
import { TollamaError } from '@tollama/core/errors';
import type { ForecastResponse } from '@tollama/core/forecast-response';
import {
  asForecastRequest,
  type Scenario,
  type Transform,
  type WhatIfRequest,
} from '@tollama/core/forecast-variants';
import { type CovariateValues, isNumericCovariate, type Series } from '@tollama/core/series';
import { type Failure, failureOf } from '../forecast/failure.ts';
import { type Caller, type ForecastParts, serveForecast } from '../forecast/serve-forecast.ts';

const changed = (value: number, { operation, value: by }: Transform): number => {
  if (operation === 'replace') return by as number;
  return operation === 'multiply' ? value * (by as number) : value + (by as number);
};

const refuse = (message: string, hint: string): never => {
  throw new TollamaError('INVALID_REQUEST', message, { hint });
};

const changedCovariate = (
  values: CovariateValues,
  transform: Transform,
  id: string,
): CovariateValues => {
  const { operation, key, value } = transform;
  if (isNumericCovariate(values)) {
    if (typeof value === 'string') {
      return refuse(`covariate '${key}' of series '${id}' holds numbers`, 'give a number as value');
    }
    return values.map((one) => changed(one, transform));
  }
  if (operation !== 'replace' || typeof value !== 'string') {
    return refuse(`covariate '${key}' of series '${id}' holds words`, 'replace it by a word');
  }
  return values.map(() => value);
};

const transformed = (series: Series, transform: Transform): Series => {
  const { field, key, series_id } = transform;
  if (series_id && series_id !== series.id) return series;
  if (field === 'target') {
    return { ...series, target: series.target.map((value) => changed(value, transform)) };
  }
  const values = series[field]?.[key!];
  if (values === undefined) {
    return refuse(
      `series '${series.id}' has no covariate '${key}' in ${field}`,
      'name one that the request has, or choose the series by series_id',
    );
  }
  return {
    ...series,
    [field]: { ...series[field], [key!]: changedCovariate(values, transform, series.id) },
  };
};

const checkFinite = ({ id, target }: Series): void => {
  const at = target.findIndex((value) => !Number.isFinite(value));
  if (at >= 0)
    refuse(`value ${at} of series '${id}' is not finite any more`, 'use a smaller change');
};

/**
 * The series under a scenario; the given ones stay as they are.
 *
 * @throws TollamaError INVALID_REQUEST for a covariate that is not there, or of another kind
 */
export const applyScenario = (series: readonly Series[], { transforms }: Scenario): Series[] => {
  const result = series.map((one) => transforms.reduce(transformed, one));
  for (const one of result) checkFinite(one);
  return result;
};

export interface ScenarioResult {
  readonly scenario: string;
  readonly ok: boolean;
  readonly response: ForecastResponse | null;
  readonly error: Failure | null;
}

const runScenario = async (
  request: WhatIfRequest,
  scenario: Scenario,
  parts: ForecastParts,
  caller: Caller,
): Promise<ScenarioResult> => {
  const { name } = scenario;
  const failed = (error: Failure): ScenarioResult => ({
    scenario: name,
    ok: false,
    response: null,
    error,
  });
  let series: Series[];
  try {
    series = applyScenario(request.series, scenario);
  } catch (thrown) {
    if (!request.continue_on_error) throw thrown;
    return failed({ ...failureOf(thrown), category: 'INVALID_SCENARIO' });
  }
  try {
    const changedRequest = { ...asForecastRequest(request.model, request), series };
    const response = await serveForecast(parts, changedRequest, caller);
    return { scenario: name, ok: true, response, error: null };
  } catch (thrown) {
    if (!request.continue_on_error || caller.signal.aborted) throw thrown;
    return failed(failureOf(thrown));
  }
};

export const whatIf = async (request: WhatIfRequest, parts: ForecastParts, caller: Caller) => {
  const { model, horizon, scenarios } = request;
  const baseline = await serveForecast(parts, asForecastRequest(model, request), caller);
  const results: ScenarioResult[] = [];
  for (const scenario of scenarios) {
    results.push(await runScenario(request, scenario, parts, caller));
  }
  const succeeded = results.filter(({ ok }) => ok).length;
  return {
    model,
    horizon,
    baseline,
    results,
    summary: {
      requested_scenarios: scenarios.length,
      succeeded,
      failed: scenarios.length - succeeded,
    },
  };
};
