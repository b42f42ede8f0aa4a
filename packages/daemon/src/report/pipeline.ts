/** Analysis, recommendation, forecast: the way that a person would go, in one request. */
import { TollamaError, toTollamaError } from '@tollama/core/errors';
import type { ForecastResponse } from '@tollama/core/forecast-response';
import {
  asForecastRequest,
  type PipelineRequest,
  type ReportRequest,
} from '@tollama/core/forecast-variants';
import { type AutoForecast, autoForecast } from '../auto/auto-forecast.ts';
import type { DaemonContext } from '../context.ts';
import { type Caller, serveForecast } from '../forecast/serve-forecast.ts';
import { installModel } from '../pull/install-model.ts';
import { type Analysis, analyze } from './analysis.ts';
import { type Recommendation, recommend } from './recommend.ts';

interface Steps {
  readonly analysis: Analysis;
  readonly recommendation: Recommendation;
  readonly pulled: string | null;
  readonly forecast: AutoForecast;
  readonly warnings: readonly string[];
}

/** Pulls the model that the request names, else the best recommended one, if it is not there. */
const pullPreferred = async (
  request: PipelineRequest,
  { recommendations }: Recommendation,
  context: DaemonContext,
  caller: Caller,
): Promise<{ pulled: string | null; warnings: readonly string[] }> => {
  const [best] = recommendations;
  const name = request.model ?? (best && !best.installed ? best.model : undefined);
  if (!request.pull_if_missing || !name || (await context.store.find(name))) {
    return { pulled: null, warnings: [] };
  }
  try {
    const { accept_license: acceptLicense } = request;
    await installModel(name, { acceptLicense }, context, caller.signal);
    return { pulled: name, warnings: [] };
  } catch (error) {
    if (caller.signal.aborted) throw error;
    const { status, message } = toTollamaError(error, 'PULL_FAILED');
    return { pulled: null, warnings: [`'${name}' could not be pulled (${status}): ${message}`] };
  }
};

const runSteps = async (
  request: PipelineRequest,
  context: DaemonContext,
  caller: Caller,
): Promise<Steps> => {
  const { series, analyze_parameters: parameters, response_options } = request;
  const analysis = analyze({ series, parameters, response_options });
  const recommendation = await recommend(request, context);
  const { pulled, warnings } = await pullPreferred(request, recommendation, context, caller);
  const forecast = await autoForecast(request, context, caller);
  return { analysis, recommendation, pulled, forecast, warnings };
};

const nullWhenEmpty = (warnings: readonly string[]): readonly string[] | null =>
  warnings.length > 0 ? warnings : null;

const countWarnings = ({ warnings, forecast, analysis }: Steps): number =>
  warnings.length + (forecast.response.warnings?.length ?? 0) + (analysis.warnings?.length ?? 0);

const countAnomalies = ({ analysis }: Steps): number =>
  analysis.results.reduce((sum, { anomalies }) => sum + anomalies.length, 0);

const outcome = (steps: Steps): string => {
  const { analysis, forecast, pulled } = steps;
  const count = analysis.results.length;
  const what = `${count} series analysed, ${countAnomalies(steps)} anomalies found`;
  const fetched = pulled === null ? '' : `, '${pulled}' pulled`;
  return `${what}${fetched}; forecast by '${forecast.selection.chosen_model}'.`;
};

/** The answer of `/api/pipeline`. */
export const runPipeline = async (
  request: PipelineRequest,
  context: DaemonContext,
  caller: Caller,
) => {
  const steps = await runSteps(request, context, caller);
  const { analysis, recommendation, pulled, forecast, warnings } = steps;
  return {
    analysis,
    recommendation,
    pulled_model: pulled,
    auto_forecast: forecast,
    warnings: nullWhenEmpty(warnings),
    narrative: request.response_options.narrative
      ? {
          summary: outcome(steps),
          chosen_model: forecast.selection.chosen_model,
          pulled_model: pulled,
          warnings_count: countWarnings(steps),
        }
      : null,
  };
};

/** The forecast that any model should beat. */
const BASELINE = 'seasonal-naive';

const baselineOf = async (
  request: ReportRequest,
  context: DaemonContext,
  caller: Caller,
): Promise<{ baseline: ForecastResponse | null; warnings: readonly string[] }> => {
  if (!request.include_baseline) return { baseline: null, warnings: [] };
  const plain = { ...asForecastRequest(BASELINE, request), options: {} };
  const parameters = { ...plain.parameters, covariates_mode: 'best_effort' as const };
  try {
    const baseline = await serveForecast(context, { ...plain, parameters }, caller);
    return { baseline, warnings: [] };
  } catch (error) {
    if (!(error instanceof TollamaError) || caller.signal.aborted) throw error;
    return { baseline: null, warnings: [`the baseline could not be made: ${error.message}`] };
  }
};

/** How the forecast's first measure compares to the baseline's. */
const againstBaseline = (steps: Steps, baseline: ForecastResponse | null): string[] => {
  const own = steps.forecast.response.metrics?.aggregate ?? {};
  return Object.entries(own)
    .slice(0, 1)
    .flatMap(([name, value]) => {
      const other = baseline?.metrics?.aggregate[name];
      if (!other) return [];
      const percent = Math.round((1000 * (other - value)) / other) / 10;
      return [
        `${name} is ${Math.abs(percent)}% ${percent >= 0 ? 'below' : 'above'} the ${BASELINE}'s`,
      ];
    });
};

/** The answer of `/api/report`. */
export const runReport = async (request: ReportRequest, context: DaemonContext, caller: Caller) => {
  const steps = await runSteps(request, context, caller);
  const { baseline, warnings } = await baselineOf(request, context, caller);
  const { analysis, recommendation, forecast } = steps;
  const { response } = forecast;
  const insights = (response.explanation?.series ?? []).map(
    ({ id, historical_comparison }) => `'${id}': ${historical_comparison}`,
  );
  return {
    analysis,
    recommendation,
    forecast,
    baseline,
    metrics: response.metrics,
    warnings: nullWhenEmpty([...steps.warnings, ...warnings]),
    narrative: request.response_options.narrative
      ? {
          summary: outcome(steps),
          chosen_model: forecast.selection.chosen_model,
          anomaly_count: countAnomalies(steps),
          key_insights: [...againstBaseline(steps, baseline), ...insights.slice(0, 10)],
          warnings_count: countWarnings(steps) + warnings.length,
        }
      : null,
  };
};
