/** The response of a request whose rows are safe. */
import { applyAdjustment, type ConformalBand } from '../conformal/adjustment.ts';
import type { Answer, AnswerFacts, ForecastMeta, ForecastResponse } from './answer.ts';
import type { ForecastContext } from './context.ts';
import type { Stage } from './stage.ts';

/** Finds the conformal adjustment of the request's segment. */
export const chooseAdjustment: Stage<ForecastContext, Answer> = (context, next) => {
  context.adjustment = context.parts.conformal().choose(context.segments);
  return next();
};

/** The calibrated band of the last step; the rows stay as they are. */
const lastStep = ({ adjustment, rows, question }: ForecastContext): ConformalBand | null => {
  if (!adjustment || rows.length < 3) return null;
  const { levels } = question;
  const nearest = (level: number): number => {
    const distances = levels.map((one) => Math.abs(one - level));
    return rows[distances.indexOf(Math.min(...distances))]!.at(-1)!;
  };
  const band = { q10: nearest(0.1), q50: nearest(0.5), q90: nearest(0.9) };
  return applyAdjustment(band, adjustment.adjustment);
};

const metaOf = (context: ForecastContext): ForecastMeta => {
  const { question, parts, fallback, latencyMs, rawMeta } = context;
  const { model, transform } = question.request;
  return {
    runtime: context.runtime,
    model_name: model.model_name,
    model_version: model.model_version ?? 'unknown',
    input_len: context.series.length,
    transform: transform.space,
    warnings: context.warnings,
    fallback_used: fallback !== undefined,
    cache_hit: false,
    cache_stale: false,
    cache_tier: 'none',
    cache_state: 'miss',
    circuit_breaker_state: parts.breaker.state,
    degradation_state: parts.degradation.state,
    conformal_state_loaded: parts.conformal().isLoaded,
    route_selected: context.routeSelected,
    route_reason: context.routeReason,
    route_segment_key: context.route.segmentKey,
    conformal_segment_key: context.adjustment?.segmentKey ?? null,
    ...(latencyMs !== undefined && { latency_ms: latencyMs }),
    ...(rawMeta && { raw_response_meta: rawMeta }),
    ...(fallback && { fallback_reason: fallback.reason, failure_code: fallback.code }),
  };
};

const factsOf = (context: ForecastContext): AnswerFacts => {
  const { rows, fallback } = context;
  const lowest = rows[0] ?? [];
  const highest = rows.at(-1) ?? [];
  const width = highest.reduce((sum, value, step) => sum + value - lowest[step]!, 0);
  return {
    isCacheHit: false,
    isFreshHit: false,
    fallbackReason: fallback?.reason,
    failureCode: fallback?.code,
    routeSelected: context.routeSelected,
    routeReason: context.routeReason,
    hasCrossed: context.hasCrossed,
    isInvalid: context.isInvalid,
    meanWidth: width / Math.max(1, highest.length),
  };
};

/** The end of the chain. */
export const respond: Stage<ForecastContext, Answer> = async (context) => {
  const { request, levels } = context.question;
  const rows = levels.map((level, i): [string, readonly number[]] => [
    String(level),
    context.rows[i]!,
  ]);
  const response: ForecastResponse = {
    market_id: request.market_id,
    as_of_ts: request.as_of_ts.text,
    freq: request.freq,
    horizon_steps: request.horizon_steps,
    quantiles: levels,
    yhat_q: Object.fromEntries(rows),
    meta: metaOf(context),
    conformal_last_step: lastStep(context),
  };
  return { text: JSON.stringify(response), response, facts: factsOf(context) };
};
