/** The way to the upstream: degradation, bulkhead, breaker, call. Each may say why it is not taken. */

import { logit } from '../numbers/logit.ts';
import { rowsOf } from '../upstream/answer.ts';
import { UpstreamFailure } from '../upstream/failure.ts';
import { pandasFrequency, type UpstreamTask } from '../upstream/payload.ts';
import type { Fallback, ForecastContext } from './context.ts';
import { chain, type Stage, traced } from './stage.ts';

/** undefined: the model has answered, and its rows are in the context. */
type Asked = Fallback | undefined;

const forced = (reason: string, code: Fallback['code']): Fallback => ({
  reason,
  code,
  isSettled: false,
});

const CIRCUIT_OPEN = forced('circuit_breaker_open', 'CIRCUIT_OPEN');
const QUEUE_TIMEOUT = forced('queue_timeout', 'QUEUE_TIMEOUT');
const DEGRADED = forced('degradation_baseline_only', 'BASELINE_FALLBACK');

const skipWhileDegraded: Stage<ForecastContext, Asked> = async ({ parts }, next) =>
  parts.degradation.shouldSkip() ? DEGRADED : next();

const enterBulkhead: Stage<ForecastContext, Asked> = async (context, next) => {
  const { parts, settings, deadlineMs, question } = context;
  const nowMs = parts.clock.now();
  // Nobody queues for a call that would be refused.
  if (parts.breaker.refuses(nowMs)) return CIRCUIT_OPEN;
  const leftMs = deadlineMs - nowMs;
  const waitMs = Math.min(leftMs, settings.perf.queue_timeout_ms ?? leftMs);
  const slot = parts.bulkhead.acquire(question.request.market_id, waitMs);
  const release = slot instanceof Promise ? await slot : slot;
  if (!release) return QUEUE_TIMEOUT;
  return next().finally(release);
};

const passBreaker: Stage<ForecastContext, Asked> = async ({ parts }, next) => {
  const { breaker, degradation, clock } = parts;
  const permit = breaker.admit(clock.now());
  if (!permit) return CIRCUIT_OPEN;
  let asked: Asked;
  try {
    asked = await next();
  } catch (error) {
    permit.release();
    throw error;
  }
  const nowMs = clock.now();
  if (asked) permit.fail(nowMs);
  else permit.succeed(nowMs);
  degradation.record(asked === undefined, nowMs, breaker.state === 'open');
  return asked;
};

const isoOf = (micros: number): string =>
  new Date(micros / 1000).toISOString().replace('.000Z', 'Z');

/** Covariates of the whole history, cut as the series was; others are passed on as they came. */
const cutLike = (
  columns: Readonly<Record<string, readonly number[]>>,
  whole: number,
  kept: number,
): Readonly<Record<string, readonly number[]>> => {
  if (kept === whole) return columns;
  const cut = Object.entries(columns).map(([name, values]): [string, readonly number[]] => [
    name,
    values.length === whole ? values.slice(-kept) : values,
  ]);
  return Object.fromEntries(cut);
};

const taskOf = ({ question, series, settings, model }: ForecastContext): UpstreamTask => {
  const { request, usesLogit, eps, levels } = question;
  const times = request.y_ts?.slice(-series.length);
  return {
    model: model.name,
    modelVersion: model.version,
    series: usesLogit ? series.map((value) => logit(value, eps)) : series,
    horizon: request.horizon_steps,
    freq: settings.adapter.freq_style === 'pandas' ? pandasFrequency(request.freq) : request.freq,
    levels,
    timestamps: times?.map(({ micros }) => isoOf(micros)),
    pastCovariates: cutLike(request.x_past, request.y.length, series.length),
    futureCovariates: request.x_future,
    params: request.model.params,
  };
};

const callUpstream: Stage<ForecastContext, Asked> = async (context) => {
  const { parts, settings, deadlineMs, question, model } = context;
  parts.onModelAsked(model.name, model.version);
  const { degraded_retry_count: retryCount, degraded_timeout_s } = settings.degradation;
  const isDegraded = parts.degradation.state === 'degraded';
  const timeoutMs = degraded_timeout_s === undefined ? undefined : degraded_timeout_s * 1000;
  const limits = isDegraded ? { deadlineMs, retryCount, timeoutMs } : { deadlineMs };
  try {
    const answer = await parts.upstream.forecast(taskOf(context), limits);
    context.rows = rowsOf(answer, question.levels, question.request.horizon_steps);
    context.latencyMs = answer.latencyMs;
    context.rawMeta = answer.meta;
    context.runtime = 'tollama';
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof UpstreamFailure)) throw thrown;
    const reason = `tollama_error:${thrown.reasonClass}`;
    context.warnings.push(reason, thrown.message);
    return forced(reason, thrown.code);
  }
};

/** Asks the upstream, or tells why it was not asked or gave nothing usable. */
export const askUpstream = chain<ForecastContext, Asked>(
  skipWhileDegraded,
  traced('bulkhead', enterBulkhead),
  traced('breaker', passBreaker),
  traced('upstream', callUpstream),
);
