/** Gauges that are read when somebody asks for the metrics. */
import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client';
import { CANARY_STAGES, type CanaryVerdict } from '../canary/gate.ts';
import type { TsfmSettings } from '../config/schema.ts';
import type { Scores } from '../evaluation/scores.ts';
import type { BreakerState } from '../resilience/circuit-breaker.ts';
import type { DegradationState } from '../resilience/degradation.ts';

export interface LiveSources {
  readonly cacheEntries: () => number;
  readonly cacheBytes: () => number;
  /** undefined: there is no shared tier. */
  readonly isSharedTierUp: () => boolean | undefined;
  readonly inFlight: () => number;
  readonly waiting: () => number;
  readonly breaker: () => BreakerState;
  readonly degradation: () => DegradationState;
  readonly isReady: () => boolean;
  readonly scores: () => Scores;
  /** undefined: no window has ended yet, or the stage is none of a canary. */
  readonly canary: () => CanaryVerdict | undefined;
  readonly sinkDropped: () => number;
  readonly slo: () => TsfmSettings['slo'];
}

const BREAKER_STATES: readonly BreakerState[] = ['closed', 'open', 'half-open'];
const DEGRADATION_STATES: readonly DegradationState[] = ['normal', 'degraded', 'baseline-only'];

const flag = (value: boolean): number => (value ? 1 : 0);

export const registerLive = (registry: Registry, sources: LiveSources): void => {
  const registers = [registry];
  const live = (name: string, help: string, read: () => number | undefined): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        const value = read();
        if (value === undefined) this.remove();
        else this.set(value);
      },
    });
  };
  const states = <T extends string>(name: string, help: string, all: readonly T[], at: () => T) =>
    new Gauge({
      name,
      help,
      labelNames: ['state'],
      registers,
      collect() {
        for (const state of all) this.set({ state }, flag(state === at()));
      },
    });
  live('tsfm_cache_entries', 'Answers held in memory', sources.cacheEntries);
  live('tsfm_cache_bytes', 'Bytes of the answers held in memory', sources.cacheBytes);
  live('tsfm_shared_cache_up', 'Whether the shared cache answers', () => {
    const isUp = sources.isSharedTierUp();
    return isUp === undefined ? undefined : flag(isUp);
  });
  live('tsfm_upstream_in_flight', 'Calls of the upstream under way', sources.inFlight);
  live('tsfm_upstream_waiting', 'Requests that wait for a call', sources.waiting);
  live('tsfm_ready', 'Whether traffic is welcome', () => flag(sources.isReady()));
  live('tsfm_sink_dropped_records', 'Records that the sink could not keep', sources.sinkDropped);
  live('tsfm_slo_request_p95_ms', 'Budget of the 95th percentile', () => {
    return sources.slo().per_request_p95_ms;
  });
  live('tsfm_slo_cycle_seconds', 'Budget of a cycle over the top markets', () => {
    return sources.slo().cycle_top_n_seconds;
  });
  states('tsfm_breaker_state', 'State of the breaker', BREAKER_STATES, sources.breaker);
  states('tsfm_degradation_state', 'State of service', DEGRADATION_STATES, sources.degradation);
  registerScores(live, sources.scores);
  registerCanary(registry, sources.canary);
  collectDefaultMetrics({ register: registry });
};

const registerScores = (
  live: (name: string, help: string, read: () => number | undefined) => void,
  scores: () => Scores,
): void => {
  live('calibration_brier_score', 'Mean squared error of the median', () => scores().brier);
  live('calibration_ece', 'Expected calibration error of the median', () => scores().ece);
  live('calibration_log_loss', 'Cross entropy of the median', () => scores().logLoss);
  live('calibration_conformal_coverage', 'Share of values inside the interval', () => {
    return scores().coverage;
  });
  live('calibration_conformal_width', 'Mean width of the interval', () => scores().width);
  live('calibration_drift_detected', 'Whether coverage left its target', () =>
    flag(scores().hasDrifted),
  );
  live('calibration_low_confidence_markets', 'Markets with few realised values', () => {
    return scores().lowConfidenceMarkets;
  });
  live('calibration_total_markets', 'Markets with realised values', () => scores().markets);
};

const registerCanary = (registry: Registry, canary: () => CanaryVerdict | undefined): void => {
  const gauge = (name: string, help: string, read: (verdict: CanaryVerdict) => boolean) =>
    new Gauge({
      name,
      help,
      labelNames: ['stage'],
      registers: [registry],
      collect() {
        const verdict = canary();
        for (const stage of CANARY_STAGES) this.remove({ stage });
        if (verdict) this.set({ stage: verdict.stage }, flag(read(verdict)));
      },
    });
  gauge('tsfm_canary_gate_passed', 'Whether the stage may be passed', (v) => v.gate_passed);
  gauge('tsfm_rollback_triggered', 'Whether the stage must be rolled back', (v) => {
    return v.rollback_triggered;
  });
};
