/** The same forecast by several models, one after the other; one that fails does not stop the others. */
import type { ForecastResponse } from '@tollama/core/forecast-response';
import { asForecastRequest, type CompareRequest } from '@tollama/core/forecast-variants';
import { shortNumber } from './explain.ts';
import { type Failure, failureOf } from './failure.ts';
import { type Caller, type ForecastParts, serveForecast } from './serve-forecast.ts';

export interface Compared {
  readonly model: string;
  readonly ok: boolean;
  readonly response: ForecastResponse | null;
  readonly error: Failure | null;
}

/** The measure that ranks: the first one asked for, else the time that the model took. */
const criterionOf = (
  { parameters }: CompareRequest,
  results: readonly Compared[],
): { readonly name: string; readonly score: (result: Compared) => number | null } => {
  const names = parameters.metrics?.names ?? [];
  const measured = names.find((name) =>
    results.some(({ response }) => response?.metrics?.aggregate[name] !== undefined),
  );
  if (measured) {
    return {
      name: measured,
      score: ({ response }) => response?.metrics?.aggregate[measured] ?? null,
    };
  }
  return { name: 'inference_ms', score: ({ response }) => response?.timing.inference_ms ?? null };
};

const narrative = (request: CompareRequest, results: readonly Compared[]) => {
  const { name, score } = criterionOf(request, results);
  const scored = results
    .filter(({ ok }) => ok)
    .map((result) => ({ model: result.model, score: score(result) }))
    .toSorted((a, b) => (a.score ?? Number.MAX_VALUE) - (b.score ?? Number.MAX_VALUE));
  const [best] = scored;
  const failed = results.length - scored.length;
  const outcome =
    best === undefined
      ? 'no model made a forecast'
      : `'${best.model}' is best by ${name}${best.score === null ? '' : ` (${shortNumber(best.score)})`} of ${scored.length} models`;
  return {
    summary: failed > 0 && best ? `${outcome}; ${failed} failed.` : `${outcome}.`,
    criterion: name,
    best_model: best?.model ?? null,
    rankings: scored.map((one, i) => ({ model: one.model, rank: i + 1, score: one.score })),
  };
};

export const compareModels = async (
  request: CompareRequest,
  parts: ForecastParts,
  caller: Caller,
) => {
  const results: Compared[] = [];
  for (const model of request.models) {
    try {
      const response = await serveForecast(parts, asForecastRequest(model, request), caller);
      results.push({ model, ok: true, response, error: null });
    } catch (thrown) {
      if (caller.signal.aborted) throw thrown;
      results.push({ model, ok: false, response: null, error: failureOf(thrown) });
    }
  }
  const succeeded = results.filter(({ ok }) => ok).length;
  return {
    models: request.models,
    horizon: request.horizon,
    results,
    summary: {
      requested_models: results.length,
      succeeded,
      failed: results.length - succeeded,
    },
    narrative: request.response_options.narrative ? narrative(request, results) : null,
  };
};
