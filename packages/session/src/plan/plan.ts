/** Which models may forecast a panel, in what order, and why. */

import { TSAgentKitError } from '../errors/session-error.ts';
import { observedCount, type Panel, type PanelSeries } from '../frame/panel.ts';
import type { ModelPool } from '../pool/model-pool.ts';
import type { TaskSpec } from '../task/task-spec.ts';

export const PLAN_THRESHOLDS = {
  min_train_size: 56,
  max_missing_ratio: 0.15,
  /** Mean gap between positive values. */
  intermittent_gap: 1.32,
  /** Squared variation of positive values. */
  intermittent_variation: 0.49,
  seasonality_confidence: 0.7,
  max_tsfm_series: 20_000,
  max_tsfm_points: 5000,
} as const;
export type PlanThresholds = { readonly [name in keyof typeof PLAN_THRESHOLDS]: number };

export type Bucket = 'short_history' | 'sparse' | 'intermittent' | 'seasonal_candidate';

export interface RouteDecision {
  readonly stats: Readonly<Record<string, number>>;
  readonly buckets: readonly Bucket[];
  readonly selected_plan: readonly string[];
  readonly reasons: readonly string[];
  /** Adapters that the policy names and cannot have, with why. */
  readonly unavailable: Readonly<Record<string, string>>;
}

export interface Plan {
  readonly candidate_models: readonly string[];
  readonly use_static: boolean;
  readonly use_past: boolean;
  readonly use_future_known: boolean;
  readonly min_train_size: number;
  readonly max_train_size: number;
  readonly interval_mode: 'quantiles';
  readonly levels: readonly number[];
  readonly quantiles: readonly number[];
  readonly allow_drop_covariates: boolean;
  readonly allow_baseline: boolean;
}

const MAX_TRAIN_SIZE = 5000;
export const TSFM_PREFIX = 'tsfm-';

/** Mean gap between positive values at least 1.32 and their squared variation at least 0.49. */
const isIntermittent = ({ target }: PanelSeries, limits: PlanThresholds): boolean => {
  const places: number[] = [];
  target.forEach((value, i) => {
    if (value > 0) places.push(i);
  });
  if (places.length < 2) return false;
  const gap = (places.at(-1)! - places[0]!) / (places.length - 1);
  const positive = places.map((i) => target[i]!);
  const mean = positive.reduce((a, b) => a + b, 0) / positive.length;
  const variance = positive.reduce((sum, value) => sum + (value - mean) ** 2, 0) / positive.length;
  return gap >= limits.intermittent_gap && variance / mean ** 2 >= limits.intermittent_variation;
};

/** |autocorrelation| at the season, over pairs that are known; 0 where there are too few. */
export const seasonalityConfidence = ({ target }: PanelSeries, season: number): number => {
  if (season < 2 || target.length < 2 * season) return 0;
  let sum = 0;
  let count = 0;
  for (const value of target) {
    if (Number.isNaN(value)) continue;
    sum += value;
    count++;
  }
  const mean = sum / count;
  let shared = 0;
  let own = 0;
  for (let i = 0; i < target.length; i++) {
    const now = target[i]! - mean;
    if (Number.isNaN(now)) continue;
    own += now * now;
    const then = i >= season ? target[i - season]! - mean : Number.NaN;
    if (!Number.isNaN(then)) shared += now * then;
  }
  return own > 0 ? Math.abs(shared / own) : 0;
};

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

interface PanelStatistics {
  readonly stats: Readonly<Record<string, number>>;
  readonly buckets: readonly Bucket[];
}

/** A panel is intermittent or seasonal when half of its series are, short when one is. */
const statisticsOf = (panel: Panel, limits: PlanThresholds): PanelStatistics => {
  const { series, season } = panel;
  const points = series.reduce((sum, { target }) => sum + target.length, 0);
  const observed = series.map(observedCount);
  const shortest = observed.reduce((a, b) => Math.min(a, b), Number.MAX_SAFE_INTEGER);
  const missing = 1 - observed.reduce((a, b) => a + b, 0) / points;
  const intermittent = series.filter((one) => isIntermittent(one, limits)).length / series.length;
  const confidence = median(series.map((one) => seasonalityConfidence(one, season)));
  const is: readonly [Bucket, boolean][] = [
    ['short_history', shortest < limits.min_train_size],
    ['sparse', missing > limits.max_missing_ratio],
    ['intermittent', intermittent >= 0.5],
    ['seasonal_candidate', confidence >= limits.seasonality_confidence],
  ];
  return {
    stats: {
      n_series: series.length,
      n_points: points,
      longest_series: series.reduce((most, { target }) => Math.max(most, target.length), 0),
      shortest_series: shortest,
      missing_ratio: missing,
      intermittent_share: intermittent,
      season_length: season,
      seasonality_confidence: confidence,
    },
    buckets: is.filter(([, holds]) => holds).map(([name]) => name),
  };
};

const baseCandidates = (buckets: readonly Bucket[]): readonly string[] => {
  if (buckets.includes('intermittent')) return ['Croston', 'Naive'];
  if (buckets.includes('short_history')) return ['HistoricAverage', 'Naive'];
  return ['SeasonalNaive', 'HistoricAverage', 'Naive'];
};

interface Availability {
  readonly available: readonly string[];
  readonly unavailable: Readonly<Record<string, string>>;
  readonly isAllowed: boolean;
}

const availabilityOf = (
  { tsfm_policy }: TaskSpec,
  stats: PanelStatistics['stats'],
  limits: PlanThresholds,
  pool: ModelPool | undefined,
): Availability => {
  const names = tsfm_policy.adapters ?? pool?.config.adapters ?? [];
  const isAllowed =
    stats.n_series! <= limits.max_tsfm_series && stats.longest_series! <= limits.max_tsfm_points;
  const reasonFor = (name: string): string | undefined => {
    if (!isAllowed) return 'routing_guardrail_blocked';
    if (!pool) return 'no_model_pool';
    return pool.config.adapters.includes(name) ? undefined : 'adapter_not_configured';
  };
  const reasons = names.map((name) => [name, reasonFor(name)] as const);
  return {
    available: reasons.filter(([, reason]) => reason === undefined).map(([name]) => name),
    unavailable: Object.fromEntries(
      reasons.flatMap(([name, reason]) => (reason === undefined ? [] : [[name, reason]])),
    ),
    isAllowed,
  };
};

const requireSome = ({ tsfm_policy }: TaskSpec, found: Availability): void => {
  if (found.available.length > 0) return;
  throw new TSAgentKitError('E_TSFM_REQUIRED_UNAVAILABLE', 'no foundation model is available', {
    context: {
      mode: tsfm_policy.mode,
      preferred_adapters: tsfm_policy.adapters ?? Object.keys(found.unavailable),
      unavailable: found.unavailable,
      allowed_by_guardrail: found.isAllowed,
    },
    fixHint: "add an adapter to the session's pool, or set tsfm_policy.mode to preferred",
  });
};

export interface PlanRequest {
  readonly panel: Panel;
  readonly spec: TaskSpec;
  readonly pool: ModelPool | undefined;
  readonly uses: {
    readonly statics: boolean;
    readonly past: boolean;
    readonly futureKnown: boolean;
  };
  readonly thresholds?: Partial<PlanThresholds>;
}

/**
 * @throws TSAgentKitError E_TSFM_REQUIRED_UNAVAILABLE where the policy requires, or leaves nothing but, what is not
 * there
 */
export const makePlan = (
  request: PlanRequest,
): { readonly plan: Plan; readonly route: RouteDecision } => {
  const { panel, spec, pool, uses } = request;
  const limits = { ...PLAN_THRESHOLDS, ...request.thresholds };
  const { stats, buckets } = statisticsOf(panel, limits);
  const { mode, allow_non_tsfm_fallback } = spec.tsfm_policy;
  const found =
    mode === 'disabled'
      ? { available: [], unavailable: {}, isAllowed: true }
      : availabilityOf(spec, stats, limits, pool);
  const hasBase = mode === 'disabled' || allow_non_tsfm_fallback;
  if (mode === 'required' || !hasBase) requireSome(spec, found);
  const base = hasBase ? baseCandidates(buckets) : [];
  const candidates = [
    ...new Set([...found.available.map((name) => `${TSFM_PREFIX}${name}`), ...base]),
  ];
  const reasons = [
    `tsfm_policy is ${mode}`,
    ...buckets.map((bucket) => `bucket ${bucket}`),
    ...Object.entries(found.unavailable).map(([name, reason]) => `${name}: ${reason}`),
  ];
  return {
    plan: {
      candidate_models: candidates,
      use_static: uses.statics,
      use_past: uses.past,
      use_future_known: uses.futureKnown,
      min_train_size: limits.min_train_size,
      max_train_size: MAX_TRAIN_SIZE,
      interval_mode: 'quantiles',
      levels: spec.forecast.levels,
      quantiles: spec.forecast.quantiles,
      allow_drop_covariates: true,
      allow_baseline: base.length > 0,
    },
    route: { stats, buckets, selected_plan: candidates, reasons, unavailable: found.unavailable },
  };
};

export interface PlanNode {
  readonly id: string;
  readonly needs: readonly string[];
}

/** The steps of a run as a graph, for whoever draws or checks it. */
export const planGraph = (plan: Plan, hasBacktest: boolean): readonly PlanNode[] => {
  const before = ['validate', 'qa', 'align_covariates', 'build_dataset', 'make_plan'];
  const chain = [...before, ...(hasBacktest ? ['backtest'] : [])];
  const last = chain.at(-1)!;
  const models = plan.candidate_models.flatMap((_, i): PlanNode[] => [
    { id: `fit_${i}`, needs: [i === 0 ? last : `predict_${i - 1}`] },
    { id: `predict_${i}`, needs: [`fit_${i}`] },
  ]);
  return [
    ...chain.map((id, i) => ({ id, needs: i === 0 ? [] : [chain[i - 1]!] })),
    ...models,
    { id: 'package', needs: plan.candidate_models.map((_, i) => `predict_${i}`) },
  ];
};
