/** Service levels and their verdicts. What was not measured is unknown, and unknown is no pass. */
import { assertNever } from '@tollama/core/errors';
import type { FailOn } from './options.ts';

export type Operator = '<' | '<=' | '>' | '>=' | '==' | 'in';
/** Two numbers for `in`: the ends of a band. */
export type Limit = number | readonly [number, number];
export type Severity = 'warn' | 'critical' | 'info';
export type CheckStatus = 'pass' | 'warn' | 'fail' | 'unknown' | 'info';

/** What must hold; a limit that is crossed costs its severity. */
export interface Rule {
  readonly id: string;
  readonly metric: string;
  readonly op: Operator;
  readonly limit: Limit;
  readonly severity: Severity;
}

export interface Check extends Rule {
  readonly value: number | null;
  readonly status: CheckStatus;
}

export interface Verdict {
  readonly status: 'pass' | 'warn' | 'fail' | 'unknown';
  readonly checks: readonly Check[];
}

export type Metrics = Readonly<Record<string, number | null>>;

const holds = (value: number, op: Operator, limit: Limit): boolean => {
  if (typeof limit !== 'number') return value >= limit[0] && value <= limit[1];
  switch (op) {
    case '<':
      return value < limit;
    case '<=':
      return value <= limit;
    case '>':
      return value > limit;
    case '>=':
      return value >= limit;
    case '==':
    case 'in':
      return value === limit;
    default:
      return assertNever(op);
  }
};

const BROKEN: Readonly<Record<Severity, CheckStatus>> = {
  warn: 'warn',
  critical: 'fail',
  info: 'info',
};

export const check = (rule: Rule, metrics: Metrics): Check => {
  const value = metrics[rule.metric] ?? null;
  if (value === null || !Number.isFinite(value)) return { ...rule, value: null, status: 'unknown' };
  const status = holds(value, rule.op, rule.limit) ? 'pass' : BROKEN[rule.severity];
  return { ...rule, value, status };
};

/** An unknown value of a critical rule fails the run; of a lesser rule the run is at best unknown. */
const costOf = ({ status, severity }: Check): Verdict['status'] => {
  if (status === 'info') return 'pass';
  if (status !== 'unknown') return status;
  if (severity === 'critical') return 'fail';
  return severity === 'warn' ? 'unknown' : 'pass';
};

const RANK: Readonly<Record<Verdict['status'], number>> = { pass: 0, unknown: 1, warn: 2, fail: 3 };

export const worst = (statuses: readonly Verdict['status'][]): Verdict['status'] =>
  statuses.reduce((a, b) => (RANK[b] > RANK[a] ? b : a), 'pass');

export const judge = (rules: readonly Rule[], metrics: Metrics): Verdict => {
  const checks = rules.map((rule) => check(rule, metrics));
  return { status: worst(checks.map(costOf)), checks };
};

/** 0 for a verdict that may pass, 3 for one that may not. */
export const exitCodeOf = (status: Verdict['status'], failOn: FailOn): number => {
  if (failOn === 'never' || status === 'pass') return 0;
  if (status === 'fail') return 3;
  return failOn === 'warn' ? 3 : 0;
};

const rule = (
  id: string,
  metric: string,
  op: Operator,
  limit: Limit,
  severity: Severity = 'critical',
): Rule => ({ id, metric, op, limit, severity });

/** What must hold to pass, and what beyond which it is critical. */
const graded = (
  id: string,
  metric: string,
  op: '<' | '<=',
  pass: number,
  critical: number,
): Rule[] => [rule(id, metric, op, pass, 'warn'), rule(id, metric, op, critical, 'critical')];

export const STEADY_RULES: readonly Rule[] = [
  ...graded('T1', 'latency_p95_ms', '<', 350, 800),
  rule('T2', 'failed_epochs', '==', 0),
  rule('premise', 'epochs_missing', '==', 0),
  rule('premise', 'policy_failures', '==', 0),
  rule('premise', 'loss_final', '>=', 0),
];

export const ROLLBACK_RULES: readonly Rule[] = [
  ...graded('R1', 'restore_fast_ms', '<=', 250, 500),
  rule('R2', 'restore_full_ms', '<=', 500),
  rule('R3', 'state_equal', '==', 1),
  rule('R4', 'rollback_deadline_exceeded', '==', 1),
  rule('R4', 'halt_emitted', '==', 1),
  rule('R4', 'weights_untouched', '==', 1),
  rule('premise', 'restores_measured', '>=', 2),
];

export const TAMIYO_RULES: readonly Rule[] = [
  ...graded('M1', 'latency_p95_ms', '<', 45, 60),
  rule('M2', 'timeouts_uncounted', '==', 0),
  rule('M2', 'epochs_missing', '==', 0),
  rule('M2', 'late_applied', '==', 0),
  rule('premise', 'faults_injected', '>=', 1),
  rule('premise', 'recovered', '==', 1),
];

/** The band that the specification gives for a backend of 40 ms; for others it is [L - 5, 1.5 L]. */
const DEFAULT_LATENCY_MS = 40;

export const prefetchRules = (readyLatencyMs: number): readonly Rule[] => {
  const isDefault = readyLatencyMs === DEFAULT_LATENCY_MS;
  const low = isDefault ? 35 : readyLatencyMs - 5;
  const high = isDefault ? 60 : 1.5 * readyLatencyMs;
  const tight = isDefault ? 45 : readyLatencyMs + (high - readyLatencyMs) / 4;
  return [
    rule('K1', 'latency_mean_ms', 'in', [low, high]),
    ...graded('K1', 'latency_p95_ms', '<=', tight, high),
    ...(isDefault ? graded('K2', 'latency_p95_ms', '<=', 120, 180) : []),
    rule('K3', 'isolation_violations', '==', 0),
    rule('K3', 'lost', '==', 0),
    rule('K3', 'errors', '==', 0),
    rule('K3', 'timeouts', '==', 0),
    rule('K3', 'fallbacks', '==', 0),
    rule('premise', 'adapters_trained', '>=', 1),
    rule('K4', 'latency_mean_ms', '>=', low),
    rule('premise', 'requests_missing', '==', 0),
  ];
};
