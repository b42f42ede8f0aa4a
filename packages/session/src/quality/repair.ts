/**
 * Repairs of observed history. Each looks back only (but bfill, which strict mode refuses), and none touches a
 * value that it was not asked to: filling changes what is missing, the others what sticks out.
 */
import { TSAgentKitError } from '../errors/session-error.ts';
import type { Panel, PanelSeries } from '../frame/panel.ts';

export const FILL_METHODS = ['none', 'ffill', 'bfill'] as const;
export const OUTLIER_METHODS = ['none', 'winsorize', 'median_filter'] as const;

export interface RepairStrategy {
  readonly missing?: (typeof FILL_METHODS)[number];
  readonly outliers?: (typeof OUTLIER_METHODS)[number];
}

/** Fills gaps and leaves every observed value as it is. */
export const DEFAULT_REPAIRS: Required<RepairStrategy> = { missing: 'ffill', outliers: 'none' };

export interface Repair {
  readonly type: 'missing_values' | 'outliers';
  readonly column: string;
  /** Values that were changed. */
  readonly count: number;
  readonly method: string;
  readonly scope: 'observed_history';
  /** Whether only values before a point decided what it became. */
  readonly pit_safe: boolean;
  readonly validation_passed: boolean;
}

const WINDOW = 30;
const TAIL = 0.01;
const FILTER_WINDOW = 7;
const OUTLYING = 3;

type Change = (values: Float64Array) => { readonly values: Float64Array; readonly count: number };

const forwardFill: Change = (given) => {
  const values = given.slice();
  let count = 0;
  for (let i = 1; i < values.length; i++) {
    if (!Number.isNaN(values[i]!) || Number.isNaN(values[i - 1]!)) continue;
    values[i] = values[i - 1]!;
    count++;
  }
  return { values, count };
};

const backwardFill: Change = (given) => {
  const filled = forwardFill(given.slice().reverse());
  return { values: filled.values.reverse(), count: filled.count };
};

const quantile = (sorted: Float64Array, q: number): number => {
  const rank = q * (sorted.length - 1);
  const low = Math.floor(rank);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low]! + (rank - low) * (sorted[high]! - sorted[low]!);
};

/** Known values of the `size` points before i, ascending. */
const trailing = (values: Float64Array, i: number, size: number): Float64Array =>
  values
    .subarray(Math.max(0, i - size), i)
    .filter((value) => !Number.isNaN(value))
    .sort();

/** Clips to the 1 % and 99 % quantiles of the 30 points before; fewer than that change nothing. */
const winsorize: Change = (given) => {
  const values = given.slice();
  let count = 0;
  for (let i = 0; i < given.length; i++) {
    const before = trailing(given, i, WINDOW);
    if (before.length < WINDOW || Number.isNaN(given[i]!)) continue;
    const clipped = Math.min(
      Math.max(given[i]!, quantile(before, TAIL)),
      quantile(before, 1 - TAIL),
    );
    if (clipped === given[i]) continue;
    values[i] = clipped;
    count++;
  }
  return { values, count };
};

/** Mean and standard deviation of what is known. */
export const spreadOf = (
  values: Float64Array,
): { readonly mean: number; readonly deviation: number } => {
  let sum = 0;
  let squares = 0;
  let count = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    count++;
    const step = value - sum;
    sum += step / count;
    squares += step * (value - sum);
  }
  return { mean: sum, deviation: Math.sqrt(squares / Math.max(1, count)) };
};

/** Replaces points beyond three deviations by the median of the seven before them; no others. */
const medianFilter: Change = (given) => {
  const values = given.slice();
  const { mean, deviation } = spreadOf(given);
  let count = 0;
  for (let i = 0; i < given.length; i++) {
    if (!(Math.abs(given[i]! - mean) > OUTLYING * deviation)) continue;
    const before = trailing(given, i, FILTER_WINDOW);
    if (before.length < FILTER_WINDOW) continue;
    values[i] = quantile(before, 0.5);
    count++;
  }
  return { values, count };
};

interface Step {
  readonly type: Repair['type'];
  readonly method: string;
  readonly isSafe: boolean;
  readonly change: Change;
}

const STEPS: Readonly<Record<string, Step>> = {
  ffill: { type: 'missing_values', method: 'ffill', isSafe: true, change: forwardFill },
  bfill: { type: 'missing_values', method: 'bfill', isSafe: false, change: backwardFill },
  winsorize: { type: 'outliers', method: 'winsorize', isSafe: true, change: winsorize },
  median_filter: { type: 'outliers', method: 'median_filter', isSafe: true, change: medianFilter },
};

const apply = (panel: Panel, step: Step, column: string): { panel: Panel; repair: Repair } => {
  let count = 0;
  const series = panel.series.map((one): PanelSeries => {
    const changed = step.change(one.target);
    count += changed.count;
    return changed.count > 0 ? { ...one, target: changed.values } : one;
  });
  const repair: Repair = {
    type: step.type,
    column,
    count,
    method: step.method,
    scope: 'observed_history',
    pit_safe: step.isSafe,
    validation_passed: series.every(
      ({ target }, i) => target.length === panel.series[i]!.target.length,
    ),
  };
  return { panel: { ...panel, series }, repair };
};

/**
 * @throws TSAgentKitError E_QA_REPAIR_PEEKS_FUTURE for bfill in strict mode
 */
export const repairPanel = (
  panel: Panel,
  strategy: RepairStrategy,
  { isStrict, column }: { readonly isStrict: boolean; readonly column: string },
): { readonly panel: Panel; readonly repairs: readonly Repair[] } => {
  if (isStrict && strategy.missing === 'bfill') {
    throw new TSAgentKitError(
      'E_QA_REPAIR_PEEKS_FUTURE',
      'bfill fills a gap from what came later',
      {
        context: { method: 'bfill' },
        fixHint: 'use ffill, or leave gaps to the models',
      },
    );
  }
  if (isStrict) return { panel, repairs: [] };
  const { missing, outliers } = { ...DEFAULT_REPAIRS, ...strategy };
  const repairs: Repair[] = [];
  let current = panel;
  for (const name of [missing, outliers]) {
    const step = STEPS[name];
    if (!step) continue;
    const done = apply(current, step, column);
    current = done.panel;
    if (done.repair.count > 0) repairs.push(done.repair);
  }
  return { panel: current, repairs };
};
