/** A forecast by the model that fits: the named one, the configured one, or the best of what is installed. */
import type { ForecastResponse } from '@tollama/core/forecast-response';
import type { AutoForecastRequest, Strategy } from '@tollama/core/forecast-variants';
import type { DaemonContext } from '../context.ts';
import { type Caller, serveForecast } from '../forecast/serve-forecast.ts';
import { type Candidate, STAND_INS } from './candidates.ts';
import { candidatesFor, findNamed, type Tried } from './choice.ts';
import { failure, memberRequest, pickFrom, rethrowWhenGone } from './pick.ts';
import type { RankedModel } from './rank.ts';

export interface Selection {
  readonly strategy: Strategy;
  readonly chosen_model: string;
  readonly selected_models: readonly string[];
  readonly candidates: readonly RankedModel[];
  readonly rationale: readonly string[];
  readonly fallback_used: boolean;
}

export interface AutoForecast {
  readonly strategy: Strategy;
  readonly selection: Selection;
  readonly response: ForecastResponse;
}

const alone = (
  { strategy }: AutoForecastRequest,
  { model, family }: Candidate,
  reason: string,
): Selection => ({
  strategy,
  chosen_model: model,
  selected_models: [model],
  candidates: [{ model, family, rank: 1, score: 0, reasons: [reason] }],
  rationale: [reason],
  fallback_used: false,
});

/** The model that the request names, or config.json's routing for its mode. */
const forecastNamed = async (
  request: AutoForecastRequest,
  context: DaemonContext,
  caller: Caller,
  tried: Tried,
): Promise<AutoForecast | undefined> => {
  const { routing } = (await context.config.read()).config;
  const isExplicit = typeof request.model === 'string';
  const name = request.model ?? routing[request.mode];
  if (!name) return undefined;
  const what = isExplicit
    ? `model '${name}'`
    : `model '${name}', configured for '${request.mode}',`;
  const found = await findNamed(name, context);
  if (!found) {
    if (isExplicit && !request.allow_fallback) await context.store.get(name);
    tried.rationale.push(`${what} is not installed; another one is chosen`);
    return undefined;
  }
  try {
    const response = await serveForecast(context, memberRequest(request, name), caller);
    const reason = isExplicit ? 'the request names the model' : `${what} goes first`;
    return { strategy: request.strategy, selection: alone(request, found, reason), response };
  } catch (error) {
    rethrowWhenGone(error, caller);
    if (isExplicit && !request.allow_fallback) throw error;
    tried.blocked.add(name);
    tried.rationale.push(`${failure(what, error)}; another one is chosen`);
    return undefined;
  }
};

/**
 * Chooses, runs, and says why.
 *
 * @throws TollamaError MODEL_NOT_FOUND with nothing to choose from, else what the last model failed with
 */
export const autoForecast = async (
  request: AutoForecastRequest,
  context: DaemonContext,
  caller: Caller,
): Promise<AutoForecast> => {
  const { strategy } = request;
  const tried: Tried = { blocked: new Set(), rationale: [] };
  const named = await forecastNamed(request, context, caller, tried);
  if (named) return named;
  const candidates = await candidatesFor(request, context, tried);
  const picked = await pickFrom(candidates, request, context, caller).catch((error: unknown) => {
    rethrowWhenGone(error, caller);
    const areStandIns = candidates.every(({ metadata }) => metadata.embedded === true);
    if (!request.allow_fallback || areStandIns) throw error;
    tried.rationale.push(`${failure('every installed model', error)}; the classical ones stand in`);
    return pickFrom(STAND_INS, request, context, caller);
  });
  const { response, chosen, selected, failures, ranked } = picked;
  context.events.publish(caller.keyId, 'model.selected', { model: chosen, strategy });
  const reasons = ranked.find(({ model }) => model === chosen)?.reasons ?? [];
  const compared = `strategy '${strategy}' ranked ${ranked.length} models`;
  return {
    strategy,
    selection: {
      strategy,
      chosen_model: chosen,
      selected_models: selected,
      candidates: ranked,
      rationale: [...tried.rationale, ...failures, compared, ...reasons],
      fallback_used: tried.rationale.length > 0 || failures.length > 0,
    },
    response,
  };
};
