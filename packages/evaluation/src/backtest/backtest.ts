/** Models compared on the ends of a user's own series: scores, skill, calibration, and whether differences hold. */
import { parseFrequency, seasonLengths } from '@tollama/core/frequency';
import type { TaskSeries } from '@tollama/session/backend/backend';
import { compareLosses, type LossComparison } from '../comparison/diebold-mariano.ts';
import { LOSS_LEVELS, type Metrics } from '../gift-eval/metrics.ts';
import { seasonalError } from '../gift-eval/protocol.ts';
import { type Scores, Scoring } from '../gift-eval/scoring.ts';
import { calibrationError, pitDensities } from '../report/calibration.ts';
import {
  type Fold,
  type Forecaster,
  type RollingOptions,
  rollingForecasts,
  seasonalNaiveForecaster,
} from './cross-validation.ts';

export interface BacktestOptions extends Omit<RollingOptions, 'quantiles'> {
  /** Steps of a season; from each series' frequency when absent. */
  readonly season?: number;
}

export interface BacktestRow {
  readonly model: string;
  readonly metrics: Metrics;
  /** 1 - score / seasonal naive's: above 0 is better than it. */
  readonly skill: { readonly mase: number; readonly crps: number };
  readonly coverage: readonly number[];
  readonly calibrationError: number;
  readonly pit: readonly number[];
  /** Scaled quantile loss against seasonal naive's, window by window; undefined with fewer than two. */
  readonly againstNaive: LossComparison | undefined;
  readonly elapsedMs: number;
}

export interface Backtest {
  /** The best CRPS first; seasonal naive is always among them. */
  readonly rows: readonly BacktestRow[];
  readonly baseline: string;
  readonly series: number;
}

const BASELINE_NAME = 'seasonal-naive';

/** The natural season of a frequency, 1 without one. */
export const naturalSeason = (freq: string): number => {
  try {
    return seasonLengths(parseFrequency(freq))[0] ?? 1;
  } catch {
    return 1;
  }
};

const score = (
  folds: readonly Fold[],
  windows: number,
  seasonOf: (series: TaskSeries) => number,
): Scores => {
  const scoring = new Scoring(windows);
  for (const { series, input, actual, forecast, window } of folds) {
    const { mean } = forecast;
    const quantiles = LOSS_LEVELS.map((_, l) => forecast.quantiles[l] ?? mean);
    scoring.add({
      window,
      label: actual,
      stored: { levels: LOSS_LEVELS, quantiles, mean },
      seasonalError: seasonalError(input, seasonOf(series)),
    });
  }
  return scoring.scores();
};

const CRPS = 'mean_weighted_sum_quantile_loss';

/** Windows whose steps overlap, plus one: losses of theirs depend on each other as errors of so many steps do. */
export const overlapOf = ({ horizon, step = horizon }: BacktestOptions): number =>
  Math.ceil(horizon / step);

const rowOf = (
  model: string,
  own: Scores,
  base: Scores,
  { elapsedMs, overlap }: { readonly elapsedMs: number; readonly overlap: number },
): BacktestRow => {
  const pairs = own.windowLosses.filter((loss, w) => Number.isFinite(loss - base.windowLosses[w]!));
  return {
    model,
    metrics: own.metrics,
    skill: {
      mase: 1 - own.metrics['MASE[0.5]'] / base.metrics['MASE[0.5]'],
      crps: 1 - own.metrics[CRPS] / base.metrics[CRPS],
    },
    coverage: own.coverage,
    calibrationError: calibrationError(own.coverage),
    pit: pitDensities(own.coverage),
    againstNaive:
      pairs.length >= 2
        ? compareLosses(own.windowLosses, base.windowLosses, { horizon: overlap })
        : undefined,
    elapsedMs,
  };
};

/**
 * Scores forecasters over rolling origins by the benchmark's own metrics.
 *
 * @throws TollamaError INVALID_INPUT for a series that is too short
 * @example
 * const { rows } = await backtest(series, [adapterForecaster(pool.get('auto'))], { horizon: 24, windows: 5 });
 * rows[0].skill.crps; // 0.4: 40 % less loss than seasonal naive
 */
export const backtest = async (
  all: readonly TaskSeries[],
  forecasters: readonly Forecaster[],
  options: BacktestOptions,
): Promise<Backtest> => {
  const seasonOf = (one: TaskSeries): number => options.season ?? naturalSeason(one.freq);
  const rolling = { ...options, quantiles: LOSS_LEVELS };
  const naive = seasonalNaiveForecaster(seasonOf, BASELINE_NAME);
  const scored = new Map<string, { readonly own: Scores; readonly elapsedMs: number }>();
  for (const forecaster of [naive, ...forecasters.filter(({ name }) => name !== BASELINE_NAME)]) {
    const started = performance.now();
    const folds = await rollingForecasts(all, forecaster, rolling);
    const elapsedMs = performance.now() - started;
    scored.set(forecaster.name, { own: score(folds, options.windows, seasonOf), elapsedMs });
  }
  const base = scored.get(BASELINE_NAME)!.own;
  const rows = [...scored]
    .map(([model, { own, elapsedMs }]) =>
      rowOf(model, own, base, { elapsedMs, overlap: overlapOf(options) }),
    )
    .sort((a, b) => a.metrics[CRPS] - b.metrics[CRPS]);
  return { rows, baseline: BASELINE_NAME, series: all.length };
};
