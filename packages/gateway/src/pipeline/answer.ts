/** The answer of a forecast, by the names of the contract (section 3). */
import type { ConformalBand } from '../conformal/adjustment.ts';
import type { BreakerState } from '../resilience/circuit-breaker.ts';
import type { DegradationState } from '../resilience/degradation.ts';
import type { FailureCode as UpstreamFailureCode } from '../upstream/failure.ts';

/** Why an answer is not what was asked for; stable, for dashboards and policies. */
export type FailureCode =
  | UpstreamFailureCode
  | 'INPUT_INSUFFICIENT_HISTORY'
  | 'INPUT_LOW_LIQUIDITY_BASELINE_ONLY'
  | 'MODEL_NOT_ALLOWED'
  | 'CIRCUIT_OPEN'
  | 'QUEUE_TIMEOUT'
  | 'CACHE_STALE_SERVED'
  | 'BASELINE_FALLBACK';

export type CacheTier = 'l1' | 'l2' | 'none';
export type CacheState = 'fresh' | 'stale_while_revalidate' | 'stale_if_error' | 'miss';

export interface ForecastMeta {
  readonly runtime: 'tollama' | 'baseline';
  readonly model_name: string;
  readonly model_version: string;
  readonly input_len: number;
  readonly transform: string;
  readonly warnings: readonly string[];
  readonly fallback_used: boolean;
  readonly cache_hit: boolean;
  readonly cache_stale: boolean;
  readonly cache_tier: CacheTier;
  readonly cache_state: CacheState;
  readonly circuit_breaker_state: BreakerState;
  readonly degradation_state: DegradationState;
  readonly conformal_state_loaded: boolean;
  readonly conformal_segment_key: string | null;
  readonly route_selected: 'tsfm' | 'baseline';
  readonly route_reason: string;
  readonly route_segment_key: string | null;
  readonly fallback_reason?: string;
  readonly failure_code?: FailureCode;
  /** Behind a stale answer: what kept a new one away. */
  readonly failure_cause?: FailureCode;
  readonly latency_ms?: number;
  readonly raw_response_meta?: Readonly<Record<string, unknown>>;
}

export interface ForecastResponse {
  readonly market_id: string;
  readonly as_of_ts: string;
  readonly freq: string;
  readonly horizon_steps: number;
  readonly quantiles: readonly number[];
  readonly yhat_q: Readonly<Record<string, readonly number[]>>;
  readonly meta: ForecastMeta;
  readonly conformal_last_step: ConformalBand | null;
}

/** What metrics and sinks need to know of an answer. */
export interface AnswerFacts {
  readonly isCacheHit: boolean;
  readonly isFreshHit: boolean;
  readonly fallbackReason: string | undefined;
  readonly failureCode: FailureCode | undefined;
  readonly routeSelected: 'tsfm' | 'baseline';
  readonly routeReason: string;
  readonly hasCrossed: boolean;
  readonly isInvalid: boolean;
  /** Mean width over the steps; undefined for answers out of the cache. */
  readonly meanWidth: number | undefined;
}

export interface Answer {
  /** The response as JSON. */
  readonly text: string;
  /** The response; answers out of the cache have only the text. */
  readonly response: ForecastResponse | undefined;
  readonly facts: AnswerFacts;
}

export const responseOf = (answer: Answer): ForecastResponse =>
  answer.response ?? (JSON.parse(answer.text) as ForecastResponse);
