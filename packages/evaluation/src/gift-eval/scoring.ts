/** Scores of forecasts in one pool, and their losses window by window. */
import { forecastValues, type StoredForecast } from './forecast-values.ts';
import {
  addInstance,
  addSums,
  coverages,
  emptySums,
  LOSS_LEVELS,
  type Metrics,
  metricsOf,
} from './metrics.ts';

/** One forecast beside what came. */
export interface Scored {
  /** Window, 0-based. */
  readonly window: number;
  /** [horizon]; NaN where missing. */
  readonly label: ArrayLike<number>;
  readonly stored: StoredForecast;
  /** Of the input, by which scaled metrics divide. */
  readonly seasonalError: number;
}

export interface Scores {
  readonly metrics: Metrics;
  /** Share of labels at or below the forecast, per level 0.1 to 0.9. */
  readonly coverage: readonly number[];
  /**
   * [windows] mean quantile loss, each forecast scaled by its seasonal error, over the series of a window;
   * NaN for a window without a label. What comparisons of two models stand on.
   */
  readonly windowLosses: readonly number[];
}

/** Takes forecasts one after the other. */
export class Scoring {
  readonly #total = emptySums();
  readonly #windows: { sum: number; count: number }[];

  constructor(windows: number) {
    this.#windows = Array.from({ length: windows }, () => ({ sum: 0, count: 0 }));
  }

  add({ window, label, stored, seasonalError }: Scored): void {
    const sums = emptySums();
    addInstance(sums, { label, forecast: forecastValues(stored), seasonalError });
    addSums(this.#total, sums);
    const loss = sums.losses.reduce((a, b) => a + b, 0) / LOSS_LEVELS.length / sums.count;
    const scaled = loss / seasonalError;
    if (!Number.isFinite(scaled)) return;
    this.#windows[window]!.sum += scaled;
    this.#windows[window]!.count++;
  }

  scores(): Scores {
    return {
      metrics: metricsOf(this.#total),
      coverage: coverages(this.#total),
      windowLosses: this.#windows.map(({ sum, count }) => sum / count),
    };
  }
}
