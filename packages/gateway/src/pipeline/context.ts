/** One request on its way through the pipeline: what is known of it, and what the stages have found so far. */
import type { AnswerCache, Found } from '../cache/answer-cache.ts';
import type { TsfmSettings } from '../config/schema.ts';
import type { ChosenAdjustment, ConformalState } from '../conformal/state.ts';
import type { ModelRegistry } from '../registry/model-registry.ts';
import type { Question } from '../request/validate.ts';
import type { Bulkhead } from '../resilience/bulkhead.ts';
import type { CircuitBreaker } from '../resilience/circuit-breaker.ts';
import type { Clock } from '../resilience/clock.ts';
import type { Degradation } from '../resilience/degradation.ts';
import type { SingleFlight } from '../resilience/single-flight.ts';
import type { Route } from '../route/segments.ts';
import type { Upstream } from '../upstream/tollama-upstream.ts';
import type { Answer, FailureCode } from './answer.ts';

/** What the stages share across requests. */
export interface Parts {
  readonly clock: Clock;
  readonly cache: AnswerCache;
  readonly flights: SingleFlight<Answer>;
  readonly bulkhead: Bulkhead;
  readonly breaker: CircuitBreaker;
  readonly degradation: Degradation;
  readonly upstream: Upstream;
  readonly conformal: () => ConformalState;
  readonly registry: () => ModelRegistry;
  /** Told of each model that is asked for, so that it is kept warm. */
  readonly onModelAsked: (model: string, version: string) => void;
}

/** Why no model is asked, or why its answer is not used. */
export interface Fallback {
  readonly reason: string;
  readonly code: FailureCode;
  /** It follows from the request and the settings alone: asking again gives the same. */
  readonly isSettled: boolean;
}

export interface ForecastContext {
  readonly question: Question;
  readonly settings: TsfmSettings;
  readonly environment: string | undefined;
  readonly parts: Parts;
  readonly startedMs: number;
  /** Past it nothing is waited for. */
  readonly deadlineMs: number;
  readonly key: string;
  readonly segments: readonly string[];
  /** The series after truncation. */
  readonly series: readonly number[];
  readonly warnings: string[];
  readonly route: Route;
  /** The model and version that the upstream is asked for. */
  model: { readonly name: string; readonly version: string };
  routeSelected: 'tsfm' | 'baseline';
  routeReason: string;
  fallback: Fallback | undefined;
  /** An answer of before that may be served when a new one cannot be had. */
  stale: Found | undefined;
  runtime: 'tollama' | 'baseline';
  /** [levels][horizon]: in the space of the transform until it is inverted, then probabilities. */
  rows: readonly (readonly number[])[];
  latencyMs: number | undefined;
  rawMeta: Readonly<Record<string, unknown>> | undefined;
  hasCrossed: boolean;
  isInvalid: boolean;
  adjustment: ChosenAdjustment | undefined;
}
