/** The parts' settings, in the units that they work in, out of the configuration. */
import type { Bounds } from '../cache/bounded-map.ts';
import type { GatewaySettings, TsfmSettings } from '../config/schema.ts';
import type { LedgerSettings } from '../evaluation/ledger.ts';
import type { RequestRules } from '../request/validate.ts';
import type { BulkheadSettings } from './bulkhead.ts';
import type { BreakerSettings } from './circuit-breaker.ts';
import type { DegradationSettings } from './degradation.ts';

export const breakerSettings = ({ circuit_breaker: given }: TsfmSettings): BreakerSettings => ({
  windowMs: given.window_s * 1000,
  minRequests: given.min_requests,
  failureRateToOpen: given.failure_rate_to_open,
  failuresToOpen: given.failures_to_open,
  cooldownMs: given.cooldown_s * 1000,
  cooldownJitter: given.cooldown_jitter,
  halfOpenProbes: given.half_open_probe_requests,
  halfOpenSuccesses: given.half_open_successes_to_close,
});

export const degradationSettings = ({ degradation: given }: TsfmSettings): DegradationSettings => ({
  windowMs: given.window_s * 1000,
  minRequests: given.min_requests,
  degradedEnter: given.degraded_enter_failure_rate,
  baselineOnlyEnter: given.baseline_only_enter_failure_rate,
  degradedExit: given.degraded_exit_failure_rate,
  baselineOnlyExit: given.baseline_only_exit_failure_rate,
  probeEvery: given.probe_every_n_requests,
});

export const bulkheadSettings = ({ perf, adapter }: TsfmSettings): BulkheadSettings => ({
  concurrency: perf.worker_concurrency ?? adapter.max_connections,
  perMarket: perf.per_market_inflight_limit,
  maxQueue: perf.max_queue,
});

export const cacheBounds = ({ cache }: TsfmSettings): Bounds => ({
  maxEntries: cache.max_entries,
  maxBytes: cache.max_bytes,
  eviction: cache.eviction,
});

export const ledgerSettings = ({ evaluation, conformal }: TsfmSettings): LedgerSettings => ({
  maxPending: evaluation.max_pending,
  window: evaluation.window,
  minSamples: evaluation.min_samples,
  driftSigmas: evaluation.drift_sigmas,
  targetCoverage: conformal.target_coverage,
});

export const requestRules = ({ tsfm }: GatewaySettings): RequestRules => ({
  maxPoints: tsfm.limits.max_points,
  maxHorizonSteps: tsfm.limits.max_horizon_steps,
  quantiles: tsfm.quantiles,
  eps: tsfm.transform.eps,
  requestGap: tsfm.missing.request_gap,
});
