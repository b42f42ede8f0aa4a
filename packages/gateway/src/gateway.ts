/** The parts of a gateway, put together: settings that may change, the pipeline's parts, what is observed. */
import type { Tracer } from '@tollama/telemetry';
import { AnswerCache, type SharedTier } from './cache/answer-cache.ts';
import { CANARY_STAGES, type CanaryStage, type CanaryVerdict, judgeCanary } from './canary/gate.ts';
import { CanaryWindows } from './canary/windows.ts';
import type { GatewaySettings } from './config/schema.ts';
import { type ConformalState, NO_CONFORMAL_STATE } from './conformal/state.ts';
import { Ledger, type MatchedOutcome, type Outcome } from './evaluation/ledger.ts';
import type { Logger } from './observe/log.ts';
import { createMetrics, type Metrics } from './observe/metrics.ts';
import { Sink, type SinkSettings } from './observe/sink.ts';
import type { Answer } from './pipeline/answer.ts';
import type { Parts } from './pipeline/context.ts';
import { forecast } from './pipeline/forecast.ts';
import { LICENCE_REGISTRY, type ModelRegistry } from './registry/model-registry.ts';
import type { ForecastRequest } from './request/forecast-request.ts';
import { type Question, validate } from './request/validate.ts';
import { Bulkhead } from './resilience/bulkhead.ts';
import { type BreakerState, CircuitBreaker } from './resilience/circuit-breaker.ts';
import { type Clock, systemClock } from './resilience/clock.ts';
import { Degradation } from './resilience/degradation.ts';
import {
  breakerSettings,
  bulkheadSettings,
  cacheBounds,
  degradationSettings,
  ledgerSettings,
  requestRules,
} from './resilience/settings.ts';
import { SingleFlight } from './resilience/single-flight.ts';
import type { Upstream } from './upstream/tollama-upstream.ts';
import { ModelActivity } from './warmup/model-activity.ts';

export interface GatewayOptions {
  readonly settings: GatewaySettings;
  readonly upstream: (settings: () => GatewaySettings) => Upstream;
  readonly log: Logger;
  readonly shared?: SharedTier | undefined;
  readonly conformal?: ConformalState;
  readonly registry?: ModelRegistry;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly tracer?: Tracer | undefined;
}

const HOUR_MS = 3_600_000;

export class Gateway implements AsyncDisposable {
  readonly log: Logger;
  readonly clock: Clock;
  readonly parts: Parts;
  readonly metrics: Metrics;
  readonly windows = new CanaryWindows();
  readonly ledger: Ledger;
  readonly activity: ModelActivity;
  readonly sink: Sink | undefined;
  readonly tracer: Tracer | undefined;
  /** Whether traffic is welcome; held back until the models are warm. */
  isReady = false;
  /** No new requests; those under way are answered. */
  isDraining = false;
  readonly #remembered = new WeakSet<Answer>();
  #toldBreaker: BreakerState = 'closed';
  #settings: GatewaySettings;
  #conformal: ConformalState;
  #registry: ModelRegistry;

  constructor(options: GatewayOptions) {
    const { clock = systemClock, random = Math.random } = options;
    this.#settings = options.settings;
    this.#conformal = options.conformal ?? NO_CONFORMAL_STATE;
    this.#registry = options.registry ?? LICENCE_REGISTRY;
    this.log = options.log;
    this.clock = clock;
    this.tracer = options.tracer;
    const tsfm = () => this.#settings.tsfm;
    this.activity = new ModelActivity();
    this.parts = {
      clock,
      cache: new AnswerCache(() => cacheBounds(tsfm()), options.shared),
      flights: new SingleFlight(),
      bulkhead: new Bulkhead(() => bulkheadSettings(tsfm())),
      breaker: new CircuitBreaker(() => breakerSettings(tsfm()), random),
      degradation: new Degradation(() => degradationSettings(tsfm())),
      upstream: options.upstream(() => this.#settings),
      conformal: () => this.#conformal,
      registry: () => this.#registry,
      onModelAsked: (model, version) => this.activity.asked(model, version, clock.now()),
    };
    this.ledger = new Ledger(() => ledgerSettings(tsfm()));
    this.sink = this.#openSink();
    this.metrics = createMetrics(this.#liveSources(), tsfm().rollout_stage);
  }

  get settings(): GatewaySettings {
    return this.#settings;
  }

  /** Takes new settings; answers that were given under the old ones are forgotten. */
  useSettings(settings: GatewaySettings): void {
    this.#settings = settings;
    this.parts.cache.clear();
  }

  useConformal(state: ConformalState): void {
    this.#conformal = state;
    this.parts.cache.clear();
  }

  useRegistry(registry: ModelRegistry): void {
    this.#registry = registry;
    this.parts.cache.clear();
  }

  /** Throws INVALID_REQUEST for a request that cannot be answered. */
  validate(request: ForecastRequest): Question {
    return validate(request, requestRules(this.#settings));
  }

  /** Answers and takes note. Throws FORECAST_UNAVAILABLE when there is nothing to answer with. */
  async forecast(question: Question): Promise<Answer> {
    const { tsfm, environment } = this.#settings;
    const answer = await forecast(question, tsfm, environment, this.parts);
    this.#tellBreaker();
    // Requests that shared a flight share its answer, which is one forecast.
    if (answer.response && !answer.facts.isCacheHit && !this.#remembered.has(answer)) {
      this.#remembered.add(answer);
      this.#remember(answer, question.request);
    }
    return answer;
  }

  /** Scores the forecasts that told of this. */
  realise(outcome: Outcome): readonly MatchedOutcome[] {
    const matches = this.ledger.realise(outcome);
    for (const { market, ...fields } of matches) {
      this.sink?.write({ kind: 'outcome', market, fields: { ...fields } }, this.clock.now());
    }
    return matches;
  }

  /** The verdict over the windows of the last hour; undefined outside of a canary or before a window ended. */
  canaryVerdict(): CanaryVerdict | undefined {
    const stage = this.#settings.tsfm.rollout_stage;
    if (!(CANARY_STAGES as readonly string[]).includes(stage)) return undefined;
    const data = this.windows.data(this.clock.now(), HOUR_MS / 300_000);
    return data.metrics.p95_latency_ms.length === 0
      ? undefined
      : judgeCanary(data, stage as CanaryStage);
  }

  /** One line for each change, however many requests meet it. */
  #tellBreaker(): void {
    const { state } = this.parts.breaker;
    if (state === this.#toldBreaker) return;
    const level = state === 'open' ? 'warn' : 'info';
    this.log[level]({ from: this.#toldBreaker, to: state }, 'the breaker changed');
    this.#toldBreaker = state;
  }

  #remember({ response, facts }: Answer, request: ForecastRequest): void {
    if (!response) return;
    const segments = {
      category: request.category ?? null,
      liquidity_bucket: request.liquidity_bucket ?? null,
      tte_bucket: request.tte_bucket ?? null,
    };
    this.ledger.remember(response, segments);
    if (!this.sink) return;
    const { market_id: market, as_of_ts, freq, yhat_q, meta } = response;
    const fields = { as_of_ts, freq, yhat_q, ...segments, runtime: meta.runtime, ...facts };
    this.sink.write({ kind: 'forecast', market, fields }, this.clock.now());
  }

  #openSink(): Sink | undefined {
    const { path, format, flush_s, max_pending, rotate_rows, rotate_s } = this.#settings.tsfm.sink;
    if (!path) return undefined;
    const settings: SinkSettings = {
      folder: path,
      flushMs: flush_s * 1000,
      maxPending: max_pending,
      parquet: format === 'parquet' ? { rows: rotate_rows, ageMs: rotate_s * 1000 } : undefined,
    };
    return new Sink(settings, (error) => this.log.warn({ err: error }, 'the sink cannot write'));
  }

  #liveSources() {
    const { cache, bulkhead, breaker, degradation } = this.parts;
    return {
      cacheEntries: () => cache.entries,
      cacheBytes: () => cache.bytes,
      isSharedTierUp: () => cache.isSharedUp,
      inFlight: () => bulkhead.inFlight,
      waiting: () => bulkhead.waiting,
      breaker: () => breaker.state,
      degradation: () => degradation.state,
      isReady: () => this.isReady && !this.isDraining,
      scores: () => this.ledger.scores(),
      canary: () => this.canaryVerdict(),
      sinkDropped: () => this.sink?.dropped ?? 0,
      slo: () => this.#settings.tsfm.slo,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sink?.[Symbol.asyncDispose]();
    await this.parts.cache[Symbol.asyncDispose]();
    await this.tracer?.[Symbol.asyncDispose]();
  }
}
