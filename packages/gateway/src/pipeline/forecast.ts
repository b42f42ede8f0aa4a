/**
 * The way of a forecast, as a chain of stages over one context:
 *
 *     parse, validate                      (request/)
 *       -> route -> gates -> model         who is asked at all
 *       -> cache -> single flight          who need not be asked
 *       -> ladder: ask (degradation -> bulkhead -> breaker -> upstream), else stale, baseline, typed error
 *       -> inverse transform -> crossing -> widths -> output check
 *       -> conformal -> response -> kept
 */
import type { TsfmSettings } from '../config/schema.ts';
import { identityOf } from '../request/identity.ts';
import type { Question } from '../request/validate.ts';
import { segmentCandidates, selectRoute } from '../route/segments.ts';
import { deadlineOf } from '../upstream/tollama-upstream.ts';
import type { Answer } from './answer.ts';
import { answerFromCache, keepAnswer, shareFlight } from './cached.ts';
import type { ForecastContext, Parts } from './context.ts';
import { checkGates, checkModel, followRoute } from './gates.ts';
import { takeLadder } from './ladder.ts';
import { chooseAdjustment, respond } from './respond.ts';
import { checkOutput, invertTransform, limitWidth, uncross } from './safety.ts';
import { chain, traced } from './stage.ts';

const pipeline = chain<ForecastContext, Answer>(
  traced('route', followRoute),
  checkGates,
  checkModel,
  traced('cache', answerFromCache),
  traced('single flight', shareFlight),
  keepAnswer,
  traced('ladder', takeLadder),
  traced('safety', invertTransform),
  uncross,
  limitWidth,
  checkOutput,
  traced('respond', chooseAdjustment),
  respond,
);

const contextOf = (
  question: Question,
  settings: TsfmSettings,
  environment: string | undefined,
  parts: Parts,
): ForecastContext => {
  const { request } = question;
  const startedMs = parts.clock.now();
  const segments = segmentCandidates(request);
  const route = selectRoute(settings.routing, segments);
  return {
    question,
    settings,
    environment,
    parts,
    startedMs,
    deadlineMs: startedMs + deadlineOf(settings.adapter),
    key: identityOf(request, settings.cache.identity),
    segments,
    series: request.y.slice(-settings.input_len_steps),
    warnings: question.hasReplacedLevels ? ['unsupported_quantiles_requested;using_default'] : [],
    route,
    model: {
      name: request.model.model_name,
      version: request.model.model_version ?? 'unknown',
    },
    routeSelected: route.selected,
    routeReason: route.reason,
    fallback: undefined,
    stale: undefined,
    runtime: 'baseline',
    rows: [],
    latencyMs: undefined,
    rawMeta: undefined,
    hasCrossed: false,
    isInvalid: false,
    adjustment: undefined,
  };
};

/** Answers a sound question. Throws FORECAST_UNAVAILABLE when not even a baseline can be computed. */
export const forecast = (
  question: Question,
  settings: TsfmSettings,
  environment: string | undefined,
  parts: Parts,
): Promise<Answer> => pipeline(contextOf(question, settings, environment, parts));
