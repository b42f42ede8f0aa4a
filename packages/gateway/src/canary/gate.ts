/** The verdict over a canary: may the stage be passed, must it be rolled back. */
import { TollamaError } from '@tollama/core/errors';

export const CANARY_STAGES = ['canary_5', 'canary_25', 'full_100'] as const;
export type CanaryStage = (typeof CANARY_STAGES)[number];

/** One value a window, oldest first; rates in [0, 1]. */
export interface CanaryMetrics {
  readonly p95_latency_ms: readonly number[];
  readonly error_rate: readonly number[];
  readonly fallback_rate: readonly number[];
  readonly breaker_open_rate: readonly number[];
  readonly invalid_output_rate: readonly number[];
}

export interface CanaryData {
  readonly window_minutes: number;
  readonly metrics: CanaryMetrics;
}

export interface CanaryVerdict {
  readonly stage: CanaryStage;
  readonly windows: number;
  readonly window_minutes: number;
  readonly gate_passed: boolean;
  readonly rollback_triggered: boolean;
  readonly rollback_reasons: readonly string[];
  readonly gate_fail_reasons: readonly string[];
}

const GATE = { p95Ms: 300, errorRate: 0.01 } as const;
const FALLBACK_RATE: Readonly<Record<CanaryStage, number>> = {
  canary_5: 0.08,
  canary_25: 0.1,
  full_100: 0.1,
};
const ROLLBACK = { p95Ms: 400, errorRate: 0.02, fallbackRate: 0.2, breakerOpenRate: 0.3 } as const;
const ROLLBACK_WINDOWS = 2;
const ROLLBACK_MINUTES = 15;

/** Whether more than `limit` was seen in `count` windows on end. */
const exceedsFor = (values: readonly number[], limit: number, count: number): boolean => {
  let run = 0;
  return values.some((value) => {
    run = value > limit ? run + 1 : 0;
    return run >= count;
  });
};

const rollbackReasons = ({ window_minutes, metrics }: CanaryData): string[] => {
  const long = Math.max(1, Math.ceil(ROLLBACK_MINUTES / window_minutes));
  const reasons: readonly (readonly [boolean, string])[] = [
    [exceedsFor(metrics.p95_latency_ms, ROLLBACK.p95Ms, ROLLBACK_WINDOWS), 'p95>400ms_for_2x5m'],
    [exceedsFor(metrics.error_rate, ROLLBACK.errorRate, 1), 'error_rate>2pct_any_5m'],
    [exceedsFor(metrics.invalid_output_rate, 0, 1), 'invalid_output_rate>0'],
    [exceedsFor(metrics.fallback_rate, ROLLBACK.fallbackRate, long), 'fallback_rate>20pct_for_15m'],
    [
      exceedsFor(metrics.breaker_open_rate, ROLLBACK.breakerOpenRate, long),
      'breaker_open_rate>30pct_for_15m',
    ],
  ];
  return reasons.filter(([holds]) => holds).map(([, reason]) => reason);
};

const gateFailures = (stage: CanaryStage, { metrics }: CanaryData): string[] => {
  const fallback = FALLBACK_RATE[stage];
  const reasons: readonly (readonly [boolean, string])[] = [
    [exceedsFor(metrics.p95_latency_ms, GATE.p95Ms, 1), 'gate:p95>300ms'],
    [exceedsFor(metrics.error_rate, GATE.errorRate, 1), 'gate:error_rate>1pct'],
    [exceedsFor(metrics.invalid_output_rate, 0, 1), 'gate:invalid_output_rate_nonzero'],
    [
      exceedsFor(metrics.fallback_rate, fallback, 1),
      `gate:fallback_rate>${Math.round(fallback * 100)}pct_for_${stage}`,
    ],
  ];
  return reasons.filter(([fails]) => fails).map(([, reason]) => reason);
};

const checkLengths = ({ metrics }: CanaryData): number => {
  const windows = metrics.p95_latency_ms.length;
  for (const [name, values] of Object.entries(metrics)) {
    if ((values as readonly number[]).length !== windows) {
      throw new TollamaError(
        'INVALID_INPUT',
        `${name} has ${(values as readonly number[]).length} windows, p95_latency_ms has ${windows}`,
        { hint: 'give one value a window for each metric' },
      );
    }
  }
  if (windows === 0) {
    throw new TollamaError('INVALID_INPUT', 'no window to judge', {
      hint: 'wait for the first window to end',
    });
  }
  return windows;
};

/** Judges the windows of a stage. Throws INVALID_INPUT when the metrics differ in their number of windows. */
export const judgeCanary = (data: CanaryData, stage: CanaryStage): CanaryVerdict => {
  const windows = checkLengths(data);
  const rollback = rollbackReasons(data);
  const failures = gateFailures(stage, data);
  return {
    stage,
    windows,
    window_minutes: data.window_minutes,
    gate_passed: failures.length === 0 && rollback.length === 0,
    rollback_triggered: rollback.length > 0,
    rollback_reasons: rollback,
    gate_fail_reasons: failures,
  };
};
