/** Running what was chosen: the first candidate that succeeds, or the best few put together. */
import { TollamaError, toTollamaError } from '@tollama/core/errors';
import type { ForecastRequest } from '@tollama/core/forecast-request';
import type { ForecastResponse } from '@tollama/core/forecast-response';
import { type AutoForecastRequest, asForecastRequest } from '@tollama/core/forecast-variants';
import type { DaemonContext } from '../context.ts';
import { reEnriched } from '../forecast/enrich.ts';
import { type Caller, serveForecast } from '../forecast/serve-forecast.ts';
import type { Candidate } from './candidates.ts';
import { combineForecasts } from './ensemble.ts';
import { orderByHeldOut } from './held-out.ts';
import { demandOf, type RankedModel, rank } from './rank.ts';

/** Seconds that one model may take, when the request says nothing else. */
const MEMBER_TIMEOUT_SECONDS = 10;

/** The request to one model. */
export const memberRequest = (request: AutoForecastRequest, model: string): ForecastRequest => ({
  ...asForecastRequest(model, request),
  timeout: request.timeout ?? MEMBER_TIMEOUT_SECONDS,
});

export const failure = (what: string, error: unknown): string => {
  const { status, message } = toTollamaError(error);
  return `${what} failed (${status}): ${message}`;
};

/** The client went away: no other model is tried for it. */
export const rethrowWhenGone = (error: unknown, { signal }: Caller): void => {
  if (signal.aborted) throw error;
};

export interface Pick {
  readonly response: ForecastResponse;
  readonly chosen: string;
  readonly selected: readonly string[];
  readonly failures: readonly string[];
}

const withWarnings = (response: ForecastResponse, more: readonly string[]): ForecastResponse =>
  more.length === 0 ? response : { ...response, warnings: [...(response.warnings ?? []), ...more] };

/** The first that succeeds, the best one first. */
const firstOf = async (
  ranked: readonly RankedModel[],
  request: AutoForecastRequest,
  context: DaemonContext,
  caller: Caller,
): Promise<Pick> => {
  const failures: string[] = [];
  let last: unknown;
  for (const { model } of ranked) {
    try {
      const response = await serveForecast(context, memberRequest(request, model), caller);
      return {
        response: withWarnings(response, failures),
        chosen: model,
        selected: [model],
        failures,
      };
    } catch (error) {
      rethrowWhenGone(error, caller);
      last = error;
      failures.push(failure(`candidate '${model}'`, error));
    }
  }
  throw last;
};

/** The forecasts of the best few put together; those that fail or take too long are left out. */
const ensembleOf = async (
  ranked: readonly RankedModel[],
  request: AutoForecastRequest,
  context: DaemonContext,
  caller: Caller,
): Promise<Pick> => {
  const members = ranked.slice(0, request.ensemble_top_k).map(({ model }) => model);
  const outcomes = await Promise.allSettled(
    members.map((model) => serveForecast(context, memberRequest(request, model), caller)),
  );
  const failures = outcomes.flatMap((outcome, i) =>
    outcome.status === 'rejected' ? [failure(`member '${members[i]}'`, outcome.reason)] : [],
  );
  const made = outcomes.flatMap((outcome, i) =>
    outcome.status === 'fulfilled' ? [{ model: members[i]!, response: outcome.value }] : [],
  );
  const [first] = made;
  if (!first) {
    rethrowWhenGone((outcomes[0] as PromiseRejectedResult).reason, caller);
    throw new TollamaError(
      'RUNNER_UNAVAILABLE',
      `no member of the ensemble forecast: ${failures.join('; ')}`,
    );
  }
  const selected = made.map(({ model }) => model);
  if (made.length === 1) {
    const note = `only '${first.model}' could forecast; there is no ensemble`;
    const response = withWarnings(first.response, [note, ...failures]);
    return { response, chosen: first.model, selected, failures };
  }
  const responses = made.map(({ response }) => response);
  return { response: merge(responses, request, failures), chosen: first.model, selected, failures };
};

const merge = (
  responses: readonly ForecastResponse[],
  request: AutoForecastRequest,
  failures: readonly string[],
): ForecastResponse => {
  const sum = (of: (response: ForecastResponse) => number): number =>
    responses.reduce((total, response) => total + of(response), 0);
  const most = (of: (response: ForecastResponse) => number): number =>
    Math.max(...responses.map(of));
  const warnings = [...new Set(responses.flatMap((response) => response.warnings ?? []))];
  const forecasts = combineForecasts(responses, request.ensemble_method);
  const plain: ForecastResponse = {
    ...responses[0]!,
    model: 'ensemble',
    forecasts,
    timing: {
      model_load_ms: sum(({ timing }) => timing.model_load_ms),
      inference_ms: sum(({ timing }) => timing.inference_ms),
      total_ms: most(({ timing }) => timing.total_ms),
    },
    usage: {
      runner: 'tollama-ensemble',
      device: 'unknown',
      method: request.ensemble_method,
      members: responses.map(({ model, usage }) => ({ model, usage })),
    },
    warnings: [...warnings, ...failures],
  };
  return reEnriched(asForecastRequest('ensemble', request), plain);
};

/** Ranks the candidates and runs what the strategy says. */
export const pickFrom = async (
  candidates: readonly Candidate[],
  request: AutoForecastRequest,
  context: DaemonContext,
  caller: Caller,
): Promise<Pick & { readonly ranked: readonly RankedModel[] }> => {
  const { strategy } = request;
  const known = rank(candidates, demandOf(request.series, request.horizon), strategy);
  if (known.ranked.length === 0) {
    const why = known.excluded.map(({ model, reason }) => `'${model}' ${reason}`).join('; ');
    throw new TollamaError('MODEL_NOT_FOUND', `no installed model can make this forecast: ${why}`, {
      hint: 'install another model, or set allow_fallback',
    });
  }
  const requestOf = (model: string): ForecastRequest => memberRequest(request, model);
  const ranked =
    strategy === 'best_accuracy'
      ? await orderByHeldOut(known.ranked, requestOf, context, caller.signal)
      : known.ranked;
  const run = strategy === 'ensemble' ? ensembleOf : firstOf;
  return { ...(await run(ranked, request, context, caller)), ranked };
};
