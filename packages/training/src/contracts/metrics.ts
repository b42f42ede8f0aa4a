/** Names of metrics and events, as operators of the reference know them. */

export const METRICS = {
  epochLatency: 'tolaria.training.latency_ms',
  graphBuild: 'tolaria.graph.capture_ms',
  graphRun: 'tolaria.graph.replay_ms',
  restoreLatency: 'tolaria.rollback.restore_latency_ms',
  deadlineExceeded: 'tolaria.rollback.deadline_exceeded_total',
  policyLatency: 'tamiyo.inference.latency_ms',
  policyNetworkLatency: 'tamiyo.gnn.inference.latency_ms',
  policyTimeouts: 'tolaria.timeout.tamiyo_total',
  prefetchLatency: 'kasmina.prefetch.latency_ms',
  prefetchRequests: 'kasmina.prefetch.requests_total',
  prefetchInflight: 'kasmina.prefetch.inflight',
  prewarmLatency: 'kasmina.prewarm.latency_ms',
  isolationViolations: 'kasmina.seed.isolation_violations',
  gradientsCompared: 'tolaria.grad_agg.microbatches_total',
  gradientConflicts: 'tolaria.grad_agg.conflicts',
  conflictRatio: 'tolaria.grad_agg.conflict_ratio',
  breakerState: 'tolaria.breaker.state',
} as const;

export type EventLevel = 'debug' | 'info' | 'warning' | 'critical';
export type Attributes = Readonly<Record<string, string | number | boolean | null>>;

/** Where parts report what happens; the trainer numbers, stamps and writes it. */
export type Report = (name: string, level: EventLevel, attributes?: Attributes) => void;

export const silent: Report = () => {};
