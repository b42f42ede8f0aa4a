/** Answers that were given before: fresh ones, ones to be renewed meanwhile, and stale ones in need. */
import type { Found, StoredAnswer } from '../cache/answer-cache.ts';
import type { Answer, AnswerFacts, ForecastMeta, ForecastResponse } from './answer.ts';
import type { ForecastContext } from './context.ts';
import { isSoundAnswer, sharedKeyOf } from './shared-answers.ts';
import type { Stage } from './stage.ts';

const hitFacts = (context: ForecastContext, isFreshHit: boolean): AnswerFacts => ({
  isCacheHit: true,
  isFreshHit,
  fallbackReason: undefined,
  failureCode: undefined,
  routeSelected: context.routeSelected,
  routeReason: context.routeReason,
  hasCrossed: false,
  isInvalid: false,
  meanWidth: undefined,
});

const withMeta = (text: string, change: (meta: ForecastMeta) => ForecastMeta): ForecastResponse => {
  const stored = JSON.parse(text) as ForecastResponse;
  return { ...stored, meta: change(stored.meta) };
};

const freshAnswer = (context: ForecastContext, { text, tier }: Found): Answer => {
  const facts = hitFacts(context, true);
  if (tier === 'l1') return { text, response: undefined, facts };
  const response = withMeta(text, (meta) => ({ ...meta, cache_tier: tier }));
  return { text: JSON.stringify(response), response, facts };
};

const revalidatingAnswer = (context: ForecastContext, { text, tier }: Found): Answer => {
  const response = withMeta(text, (meta) => ({
    ...meta,
    cache_stale: true,
    cache_tier: tier,
    cache_state: 'stale_while_revalidate',
  }));
  return { text: JSON.stringify(response), response, facts: hitFacts(context, true) };
};

/** The stale answer, with the states and the route of now and the reason why it is served. */
export const staleAnswer = (context: ForecastContext, { text, tier }: Found): Answer => {
  const { parts, fallback } = context;
  const reason = 'stale_if_error';
  const response = withMeta(text, (meta) => ({
    ...meta,
    warnings: [...meta.warnings, `fallback_reason=${reason}`],
    fallback_used: true,
    fallback_reason: reason,
    failure_code: 'CACHE_STALE_SERVED',
    ...(fallback && { failure_cause: fallback.code }),
    cache_hit: true,
    cache_stale: true,
    cache_tier: tier,
    cache_state: 'stale_if_error',
    circuit_breaker_state: parts.breaker.state,
    degradation_state: parts.degradation.state,
    route_selected: context.routeSelected,
    route_reason: context.routeReason,
    route_segment_key: context.route.segmentKey,
  }));
  const facts: AnswerFacts = {
    ...hitFacts(context, false),
    fallbackReason: reason,
    failureCode: 'CACHE_STALE_SERVED',
  };
  return { text: JSON.stringify(response), response, facts };
};

const keysOf = (context: ForecastContext) => ({
  key: context.key,
  sharedKey: () => sharedKeyOf(context),
});

const lookUp = async (context: ForecastContext): Promise<Found | undefined> => {
  const { parts, key, startedMs } = context;
  const held = parts.cache.peek(key, startedMs);
  if (!parts.cache.hasSharedTier || (held && startedMs <= held.freshUntilMs)) return held;
  // Another instance may have renewed it.
  const shared = await parts.cache.fetch(keysOf(context), startedMs, (text) =>
    isSoundAnswer(text, context.question),
  );
  return shared && shared.freshUntilMs >= (held?.freshUntilMs ?? 0) ? shared : held;
};

/** A fresh answer ends the request; a stale one is kept in mind. */
export const answerFromCache: Stage<ForecastContext, Answer> = async (context, next) => {
  const { startedMs, settings } = context;
  const { cache, key } = { cache: context.parts.cache, key: context.key };
  const held = cache.peek(key, startedMs);
  const found = held && startedMs <= held.freshUntilMs ? held : await lookUp(context);
  if (!found) return next();
  if (startedMs <= found.freshUntilMs) return freshAnswer(context, found);
  if (startedMs <= found.staleUntilMs) context.stale = found;
  if (context.stale && startedMs <= found.freshUntilMs + settings.cache.revalidate_s * 1000) {
    // Who asks now does not wait; a failure leaves the stale answer as it is.
    next().catch(() => {});
    return revalidatingAnswer(context, found);
  }
  return next();
};

/** The response as it will be told when it is served again. */
const asHit = (response: ForecastResponse): string =>
  JSON.stringify({
    ...response,
    meta: {
      ...response.meta,
      cache_hit: true,
      cache_stale: false,
      cache_tier: 'l1',
      cache_state: 'fresh',
    } satisfies ForecastMeta,
  });

/** Keeps good answers, and those that the request itself settles; never one that a failure forced. */
export const keepAnswer: Stage<ForecastContext, Answer> = async (context, next) => {
  const answer = await next();
  const { settings, fallback, parts, startedMs } = context;
  const { ttl_s, stale_if_error_s, store_failures } = settings.cache;
  const isForced = fallback !== undefined && !fallback.isSettled;
  if (!answer.response || answer.facts.isCacheHit || (isForced && !store_failures)) return answer;
  const freshUntilMs = startedMs + ttl_s * 1000;
  const isGood = fallback === undefined || store_failures;
  const stored: StoredAnswer = {
    text: asHit(answer.response),
    freshUntilMs,
    staleUntilMs: isGood ? freshUntilMs + stale_if_error_s * 1000 : freshUntilMs,
  };
  parts.cache.store(keysOf(context), stored, startedMs);
  return answer;
};

/** Identical requests in flight share one answer. */
export const shareFlight: Stage<ForecastContext, Answer> = (context, next) =>
  context.parts.flights.run(context.key, next);
