/** Quality of the history: what is missing, flat, odd or too short, in one pass over each series. */
import { futureTimestamps, parseFrequency } from '@tollama/core/frequency';
import { compareTimestamps, parseTimestamps } from '@tollama/core/frequency/timestamp';
import type { CovariateProblem } from '../frame/covariates.ts';
import { observedCount, type Panel, type PanelSeries } from '../frame/panel.ts';
import type { TaskSpec } from '../task/task-spec.ts';
import { type Repair, spreadOf } from './repair.ts';

export const MODES = ['quick', 'standard', 'strict'] as const;
export type Mode = (typeof MODES)[number];

export type IssueType =
  | 'missing_values'
  | 'gaps'
  | 'zero_density'
  | 'outliers'
  | 'ds_not_monotonic'
  | 'min_history'
  | 'covariate_guardrail';

export interface QaIssue {
  readonly type: IssueType;
  readonly severity: 'warning' | 'critical';
  readonly details: Readonly<Record<string, unknown>>;
}

export interface QaReport {
  readonly issues: readonly QaIssue[];
  readonly repairs: readonly Repair[];
  readonly leakage_detected: boolean;
}

const ZERO_SHARE = 0.3;
const OUTLYING = 3;
/** Issues that strict mode does not go on with. */
const CRITICAL_IN_STRICT: ReadonlySet<IssueType> = new Set([
  'missing_values',
  'ds_not_monotonic',
  'min_history',
]);

interface SeriesFacts {
  readonly missing: number;
  readonly zeros: number;
  readonly outliers: number;
  readonly observed: number;
  readonly gaps: number;
}

/** Steps between the first and the last stamp that have no row. */
const missingStamps = ({ timestamps }: PanelSeries, freq: string): number => {
  if (timestamps.length < 2) return 0;
  try {
    const stamps = parseTimestamps(timestamps);
    const frequency = parseFrequency(freq);
    const last = stamps.at(-1)!;
    // The stamps that there would be; doubled until they reach the last one.
    let length = timestamps.length;
    for (let reach = 0; reach < 8; reach++, length *= 2) {
      const grid = parseTimestamps([
        timestamps[0]!,
        ...futureTimestamps(stamps[0]!, frequency, length),
      ]);
      const after = grid.findIndex((stamp) => compareTimestamps(stamp, last) >= 0);
      if (after >= 0) return Math.max(0, after + 1 - timestamps.length);
    }
    return 0;
  } catch {
    return 0;
  }
};

const factsOf = (one: PanelSeries, freq: string): SeriesFacts => {
  const { mean, deviation } = spreadOf(one.target);
  let missing = 0;
  let zeros = 0;
  let outliers = 0;
  for (const value of one.target) {
    if (Number.isNaN(value)) missing++;
    else if (value === 0) zeros++;
    if (deviation > 0 && Math.abs(value - mean) > OUTLYING * deviation) outliers++;
  }
  return { missing, zeros, outliers, observed: observedCount(one), gaps: missingStamps(one, freq) };
};

const total = (facts: readonly SeriesFacts[], name: keyof SeriesFacts): number =>
  facts.reduce((sum, one) => sum + one[name], 0);

/** Ids of the series for which something holds, at most twenty. */
const named = (panel: Panel, facts: readonly SeriesFacts[], holds: (one: SeriesFacts) => boolean) =>
  panel.series
    .filter((_, i) => holds(facts[i]!))
    .slice(0, 20)
    .map(({ id }) => id);

const foundIn = (
  panel: Panel,
  { backtest }: TaskSpec,
): [IssueType, Readonly<Record<string, unknown>>][] => {
  const facts = panel.series.map((one) => factsOf(one, panel.freq));
  const observed = total(facts, 'observed');
  const gaps = total(facts, 'gaps');
  const short = (one: SeriesFacts): boolean => one.observed < backtest.min_train_size;
  const found: [boolean, IssueType, Readonly<Record<string, unknown>>][] = [
    [
      total(facts, 'missing') > 0,
      'missing_values',
      { count: total(facts, 'missing'), series: named(panel, facts, ({ missing }) => missing > 0) },
    ],
    [gaps > 0, 'gaps', { count: gaps, ratio: gaps / (gaps + observed) }],
    [
      total(facts, 'zeros') / observed > ZERO_SHARE,
      'zero_density',
      { ratio: total(facts, 'zeros') / observed, threshold: ZERO_SHARE },
    ],
    [
      total(facts, 'outliers') > 0,
      'outliers',
      {
        count: total(facts, 'outliers'),
        series: named(panel, facts, ({ outliers }) => outliers > 0),
      },
    ],
    [
      facts.some(short),
      'min_history',
      { min_train_size: backtest.min_train_size, series: named(panel, facts, short) },
    ],
  ];
  return found.filter(([is]) => is).map(([, type, details]) => [type, details]);
};

/** What is wrong with the targets of a panel. */
export const findIssues = (panel: Panel, spec: TaskSpec, mode: Mode): QaIssue[] =>
  foundIn(panel, spec).map(
    ([type, details]): QaIssue => ({
      type,
      severity: mode === 'strict' && CRITICAL_IN_STRICT.has(type) ? 'critical' : 'warning',
      details,
    }),
  );

/** Covariates that could not be aligned; always critical. */
export const covariateIssues = (problems: readonly CovariateProblem[]): QaIssue[] =>
  problems.map(({ code, message, context }) => ({
    type: 'covariate_guardrail',
    severity: 'critical',
    details: { code, message, ...context },
  }));
