/** Prometheus metrics by the names of the contract (section 13), whose labels do not grow with markets. */
import { VERSION } from '@tollama/core/version';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { CANARY_STAGES } from '../canary/gate.ts';
import type { AnswerFacts } from '../pipeline/answer.ts';
import type { BreakerState } from '../resilience/circuit-breaker.ts';
import type { DegradationState } from '../resilience/degradation.ts';
import { LabelBudget } from './label-budget.ts';
import { type LiveSources, registerLive } from './live-gauges.ts';

const LATENCY_MS = [50, 100, 200, 300, 400, 800, 1500, 3000];
const CYCLE_SECONDS = [0.05, 0.1, 0.2, 0.3, 0.6, 1, 2, 5];
const BUCKETS = 20;
const OTHER_STAGES = 5;
const REASONS = 40;

export interface AnswerObservation {
  readonly stage: string;
  readonly bucket: string;
  readonly facts: AnswerFacts;
  readonly breaker: BreakerState;
  readonly degradation: DegradationState;
  readonly targetCoverage: number;
  readonly ms: number;
}

export interface Metrics {
  answered(observation: AnswerObservation): void;
  refused(stage: string, status: number, failureCode: string | undefined, ms: number): void;
  text(): Promise<string>;
  readonly contentType: string;
}

const counters = (registry: Registry) => {
  const counter = (name: string, help: string, labelNames: readonly string[]) =>
    new Counter({
      name,
      help,
      labelNames: ['rollout_stage', ...labelNames],
      registers: [registry],
    });
  return {
    requests: counter('tsfm_request_total', 'Requests by outcome', ['status']),
    responses: counter('tsfm_http_responses_total', 'Responses by HTTP status', ['code']),
    failures: counter('tsfm_failure_total', 'Answers by failure code', ['failure_code']),
    routes: counter('tsfm_route_selected_total', 'Routes taken, but for fresh hits', [
      'route_selected',
      'route_reason',
    ]),
    fallbacks: counter('tsfm_fallback_total', 'Answers without a new forecast', ['reason']),
    breakerOpen: counter('tsfm_breaker_open_total', 'Answers given while the breaker is open', []),
    invalid: counter('tsfm_invalid_output_total', 'Answers out of bounds or order', []),
    crossings: counter('tsfm_quantile_crossing_total', 'Answers whose quantiles crossed', []),
    hits: counter('tsfm_cache_hit_total', 'Answers out of the cache, fresh and stale', []),
  };
};

const measures = (registry: Registry) => {
  const registers = [registry];
  const byBucket = { labelNames: ['rollout_stage', 'bucket'], registers };
  return {
    latency: new Histogram({
      name: 'tsfm_request_latency_ms',
      help: 'Time from a request to its answer in ms',
      labelNames: ['rollout_stage'],
      buckets: LATENCY_MS,
      registers,
    }),
    cycle: new Histogram({
      name: 'tsfm_cycle_time_seconds',
      help: 'Time of a market in a cycle, all markets together',
      buckets: CYCLE_SECONDS,
      registers,
    }),
    width: new Gauge({
      name: 'tsfm_interval_width',
      help: 'Mean interval width of the latest answer',
      ...byBucket,
    }),
    coverage: new Gauge({
      name: 'tsfm_target_coverage',
      help: 'Coverage that intervals are calibrated to',
      ...byBucket,
    }),
    stage: new Gauge({
      name: 'rollout_stage_info',
      help: 'Configured rollout stage',
      labelNames: ['rollout_stage'],
      registers,
    }),
  };
};

export const createMetrics = (live: LiveSources, configuredStage: string): Metrics => {
  const registry = new Registry();
  const count = counters(registry);
  const measure = measures(registry);
  registerLive(registry, live);
  measure.stage.set({ rollout_stage: configuredStage }, 1);
  new Gauge({
    name: 'tollama_build_info',
    help: 'Version',
    labelNames: ['version'],
    registers: [registry],
  }).set({ version: VERSION }, 1);
  const stages = new LabelBudget(OTHER_STAGES, ['unknown', configuredStage, ...CANARY_STAGES]);
  const buckets = new LabelBudget(BUCKETS, ['unknown']);
  const reasons = new LabelBudget(REASONS);

  const observe = (rollout_stage: string, status: string, code: number, ms: number): void => {
    count.requests.inc({ rollout_stage, status });
    count.responses.inc({ rollout_stage, code });
    measure.latency.observe({ rollout_stage }, ms);
  };

  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    answered({ stage, bucket: rawBucket, facts, breaker, targetCoverage, ms }) {
      const rollout_stage = stages.label(stage);
      const bucket = buckets.label(rawBucket);
      observe(rollout_stage, 'success', 200, ms);
      measure.cycle.observe(ms / 1000);
      measure.coverage.set({ rollout_stage, bucket }, targetCoverage);
      if (facts.meanWidth !== undefined) {
        measure.width.set({ rollout_stage, bucket }, facts.meanWidth);
      }
      if (facts.isCacheHit) count.hits.inc({ rollout_stage });
      if (breaker === 'open') count.breakerOpen.inc({ rollout_stage });
      if (facts.isFreshHit) return;
      const { routeSelected: route_selected, routeReason: route_reason } = facts;
      count.routes.inc({ rollout_stage, route_selected, route_reason });
      if (facts.fallbackReason !== undefined) {
        count.fallbacks.inc({ rollout_stage, reason: reasons.label(facts.fallbackReason) });
      }
      if (facts.failureCode !== undefined) {
        count.failures.inc({ rollout_stage, failure_code: facts.failureCode });
      }
      if (facts.hasCrossed) count.crossings.inc({ rollout_stage });
      if (facts.isInvalid) count.invalid.inc({ rollout_stage });
    },
    refused(stage, status, failureCode, ms) {
      const rollout_stage = stages.label(stage);
      observe(rollout_stage, 'error', status, ms);
      if (failureCode !== undefined) {
        count.failures.inc({ rollout_stage, failure_code: failureCode });
      }
    },
  };
};
