/** What a run measured, as lines, and the verdict over them. */

export interface Measured {
  readonly requests: number;
  readonly unique: number;
  readonly elapsedS: number;
  /** One for each request. */
  readonly latenciesMs: readonly number[];
  readonly hits: number;
  readonly fallbacks: number;
}

export interface Budgets {
  readonly p95Ms: number;
  readonly cycleS: number;
}

/** sorted[int(share (n - 1))], as the original has it. */
const percentile = (ascending: readonly number[], share: number): number =>
  ascending[Math.floor(share * (ascending.length - 1))] ?? Number.NaN;

export const metricsOf = (run: Measured): Readonly<Record<string, number>> => {
  const sorted = [...run.latenciesMs].sort((a, b) => a - b);
  return {
    requests: run.requests,
    unique: run.unique,
    elapsed_s: run.elapsedS,
    throughput_rps: run.requests / run.elapsedS,
    latency_p50_ms: percentile(sorted, 0.5),
    latency_p95_ms: percentile(sorted, 0.95),
    cache_hit_rate: run.hits / run.requests,
    fallback_rate: run.fallbacks / run.requests,
  };
};

const DIGITS: Readonly<Record<string, number>> = {
  requests: 0,
  unique: 0,
  throughput_rps: 2,
  latency_p50_ms: 2,
  latency_p95_ms: 2,
};

const failuresOf = (metrics: Readonly<Record<string, number>>, budgets: Budgets): string[] => {
  const checks: readonly (readonly [string, number])[] = [
    ['latency_p95_ms', budgets.p95Ms],
    ['elapsed_s', budgets.cycleS],
  ];
  return checks
    .filter(([name, budget]) => !((metrics[name] ?? Number.NaN) <= budget))
    .map(([name, budget]) => `${name}=${metrics[name] ?? 'missing'} exceeds budget ${budget}`);
};

/** Lines `key=value`, then SLO_PASS, or an SLO_FAIL line for each budget that was not kept. */
export const reportLines = (run: Measured, budgets: Budgets): string[] => {
  const metrics = metricsOf(run);
  const lines = Object.entries(metrics).map(
    ([name, value]) => `${name}=${value.toFixed(DIGITS[name] ?? 3)}`,
  );
  const failures = failuresOf(metrics, budgets);
  const verdict = failures.length === 0 ? ['SLO_PASS'] : failures.map((text) => `SLO_FAIL ${text}`);
  return [...lines, ...verdict];
};

export interface GateReport {
  readonly thresholds: { readonly p95_ms: number; readonly cycle_s: number };
  readonly metrics: Readonly<Record<string, number>>;
  readonly ok: boolean;
  readonly failures: readonly string[];
}

/** Judges the lines of a run anew. */
export const judgeLog = (log: string, budgets: Budgets): GateReport => {
  const metrics = Object.fromEntries(
    [...log.matchAll(/^(\w+)=(-?\d+(?:\.\d+)?(?:e-?\d+)?)\s*$/gm)].map(
      ([, name, value]): [string, number] => [name!, Number(value)],
    ),
  );
  const failures = failuresOf(metrics, budgets);
  return {
    thresholds: { p95_ms: budgets.p95Ms, cycle_s: budgets.cycleS },
    metrics,
    ok: failures.length === 0,
    failures,
  };
};
