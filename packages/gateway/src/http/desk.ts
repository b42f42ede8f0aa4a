/**
 * Where requests are received: body, form, token, rate, sense, in the contract's order, then the forecast;
 * and where every outcome is counted. It knows nothing of HTTP frameworks.
 */
import { errorMessage } from '@tollama/core/errors';
import { parseBody } from '@tollama/core/schema-issues';
import type { z } from 'zod';
import { NegativeCache } from '../cache/negative-cache.ts';
import type { TsfmSettings } from '../config/schema.ts';
import type { Gateway } from '../gateway.ts';
import type { Answer } from '../pipeline/answer.ts';
import { type ForecastRequest, forecastRequest } from '../request/forecast-request.ts';
import { type Caller, identityOfCaller, TokenCheck, tokenOf } from './caller.ts';
import { RateLimit } from './rate-limit.ts';
import {
  draining,
  jsonInvalid,
  type Refusal,
  refusalOf,
  tooManyRequests,
  UNAUTHORIZED,
} from './refusal.ts';

export interface Reply {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

export const FORECAST_PATH = '/tsfm/forecast';

/** Thrown to end a request with an answer that is no forecast. */
class Refused extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.text);
    this.refusal = refusal;
  }
}

const parseJson = (body: string): unknown => {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw jsonInvalid(errorMessage(error));
  }
};

export class Desk {
  readonly gateway: Gateway;
  readonly #tokens: TokenCheck;
  readonly #rates = new RateLimit();
  readonly #negative = new NegativeCache();
  #schema: { readonly of: TsfmSettings; readonly type: z.ZodType<ForecastRequest> } | undefined;

  constructor(gateway: Gateway, expectedToken: string | undefined) {
    this.gateway = gateway;
    this.#tokens = new TokenCheck(expectedToken);
  }

  /** A body of one form, from a caller who may ask; then `serve`. Counts what comes of it. */
  async receive<T>(
    body: string,
    schema: z.ZodType<T>,
    caller: Caller,
    serve: (value: T) => Promise<string>,
  ): Promise<Reply> {
    const started = performance.now();
    try {
      const value = parseBody(schema, parseJson(body));
      this.#admit(caller);
      return { status: 200, text: await serve(value), headers: {} };
    } catch (thrown) {
      const refusal = this.#refusal(thrown);
      this.#countRefusal(refusal, started);
      return refusal;
    }
  }

  /** A body that could not be read: too large, or cut short by its sender. */
  unread(thrown: unknown): Reply {
    const refusal = this.#refusal(thrown);
    this.#countRefusal(refusal, performance.now());
    return refusal;
  }

  /** The form of a request, with the defaults of the settings of now. */
  get requestSchema(): z.ZodType<ForecastRequest> {
    const { tsfm } = this.gateway.settings;
    if (this.#schema?.of !== tsfm) this.#schema = { of: tsfm, type: forecastRequest(tsfm) };
    return this.#schema.type;
  }

  /** POST /tsfm/forecast */
  async forecast(body: string, caller: Caller): Promise<Reply> {
    const { settings, clock } = this.gateway;
    const known = this.#negative.find(body, clock.now());
    if (known) return this.#refuseAgain(known, caller);
    const reply = await this.receive(body, this.requestSchema, caller, async (request) => {
      const answer = await this.answer(request);
      return answer.text;
    });
    if (reply.status !== 200) {
      const ttl = settings.tsfm.cache.negative_ttl_s;
      this.#negative.keep(body, reply as Refusal, clock.now(), ttl);
    }
    return reply;
  }

  /** One forecast, counted. Throws what refuses it. */
  async answer(request: ForecastRequest): Promise<Answer> {
    const { gateway } = this;
    const started = performance.now();
    const answer = await gateway.forecast(gateway.validate(request));
    this.#countAnswer(request, answer, performance.now() - started);
    return answer;
  }

  /** What settings decide has changed: what was refused may now pass. */
  forget(): void {
    this.#negative.clear();
  }

  #admit(caller: Caller): void {
    const { api } = this.gateway.settings;
    if (this.gateway.isDraining) throw new Refused(draining);
    if (api.require_auth && !this.#tokens.accepts(tokenOf(caller))) throw new Refused(UNAUTHORIZED);
    if (api.rate_limit_per_minute <= 0) return;
    const identity = identityOfCaller(caller);
    const seconds = this.#rates.take(identity, api.rate_limit_per_minute, this.gateway.clock.now());
    if (seconds > 0) throw new Refused(tooManyRequests(FORECAST_PATH, seconds));
  }

  #refuseAgain(known: Refusal, caller: Caller): Reply {
    const started = performance.now();
    let refusal = known;
    try {
      // The form is checked before the token, the sense after it.
      if (known.status === 400) this.#admit(caller);
    } catch (thrown) {
      refusal = this.#refusal(thrown);
    }
    this.#countRefusal(refusal, started);
    return refusal;
  }

  #refusal(thrown: unknown): Refusal {
    if (thrown instanceof Refused) return thrown.refusal;
    const refusal = refusalOf(thrown);
    if (refusal.status === 500) this.gateway.log.error({ err: thrown }, 'a request failed');
    return refusal;
  }

  #countAnswer(request: ForecastRequest, { facts }: Answer, ms: number): void {
    const { metrics, parts, settings, windows, clock, log } = this.gateway;
    const breaker = parts.breaker.state;
    if (facts.failureCode !== undefined && !facts.isFreshHit) {
      const { failureCode: failure_code, fallbackReason: reason } = facts;
      log.debug({ market_id: request.market_id, failure_code, reason }, 'fallback');
    }
    metrics.answered({
      stage: request.rollout_stage || settings.tsfm.rollout_stage,
      bucket: request.liquidity_bucket || 'unknown',
      facts,
      breaker,
      degradation: parts.degradation.state,
      targetCoverage: settings.tsfm.conformal.target_coverage,
      ms,
    });
    windows.record(
      {
        isError: false,
        isFallback: facts.fallbackReason !== undefined,
        isInvalid: facts.isInvalid,
        isBreakerOpen: breaker === 'open',
        ms,
      },
      clock.now(),
    );
  }

  #countRefusal({ status, failureCode }: Refusal, started: number): void {
    const { metrics, windows, settings, clock, parts } = this.gateway;
    const ms = performance.now() - started;
    metrics.refused(settings.tsfm.rollout_stage, status, failureCode, ms);
    windows.record(
      {
        // A caller's own mistake is no reason to roll back.
        isError: status >= 500,
        isFallback: false,
        isInvalid: false,
        isBreakerOpen: parts.breaker.state === 'open',
        ms,
      },
      clock.now(),
    );
  }
}
