/**
 * Forecasts that cost next to nothing, which the network weighs: last values, last seasons, means of seasons at
 * several levels, smoothed levels and trends, an autoregression, a direct ridge regression. Each is made from the points before an origin
 * only, so that the same object forecasts from every earlier origin and learns how far each is to be trusted.
 */
import { Past } from '../../statistical/past.ts';
import { fitRegression, type Regression } from '../../statistical/regression.ts';
import { Phases } from './phases.ts';
import {
  type Autoregression,
  autoregress,
  autoregression,
  dampedSteps,
  type Levels,
  smoothed,
} from './smoothing.ts';

export const ANCHORS = [
  'last value',
  'last season',
  'season of 4 cycles',
  'season of 4 cycles at the level of the last',
  'season of 20 cycles',
  'season of 20 cycles and the last deviation',
  'season of 20 cycles and recent deviations',
  'season of 20 cycles and deviations of a cycle',
  'season and smoothed level',
  'season and damped trend',
  'season and autoregression',
  'smoothed season',
  'season times level',
  'long season',
  'season and straight line',
  'regression',
] as const;

const FEW = 4;
const MANY = 20;
/** Without a season, points of the windows that stand for few and many cycles. */
const FEW_POINTS = 4;
const MANY_POINTS = 100;
const REGRESSION_SAMPLES = 160;
/** Neighbouring phases of a smoothed season reach this part of a season to each side. */
const NEIGHBOURS = 16;
const LONG_CYCLES = 3;
/** Seasons from here on may be smoothed along their phases. */
const SMOOTHED = 32;
/** What smoothing must leave at most of the deviations. */
const SMOOTHER = 0.97;

export interface Seasons {
  /** Season length, 1 without one. */
  readonly period: number;
  /** A longer season beside it, 0 without one. */
  readonly long: number;
}

export class Anchors {
  readonly phases: Phases;
  readonly seasons: Seasons;
  /** y less the mean of the earlier cycles at the same phase; y itself without a season. */
  readonly deviations: Float64Array;
  /** The first point with a deviation. */
  readonly start: number;
  readonly level: Levels;
  readonly autoregression: Autoregression;
  /** Cycles whose mean is a season: all of them lie before the last one. */
  readonly #many: number;
  readonly #few: number;
  /** Whether neighbouring phases tell more of a phase than its own few cycles do. */
  readonly #isSmooth: boolean;
  readonly #trend: Levels;
  readonly #deviationMeans: Phases;
  readonly #regression: Regression | undefined;
  readonly #isPositive: boolean;

  /** What has parameters learns them from the first `until` points. */
  constructor(
    y: Float64Array,
    seasons: Seasons,
    until: number,
    horizon: number,
    isPositive: boolean,
  ) {
    const { period, long } = seasons;
    const phases = new Phases(y, period);
    this.phases = phases;
    this.seasons = seasons;
    // With fewer cycles before some points than before others, a trend would make their means jump.
    this.#many = Math.max(1, Math.min(MANY, Math.floor(until / period) - 1));
    this.#few = Math.min(FEW, this.#many);
    this.start = period > 1 ? Math.min(period, Math.max(0, until - 1)) : 0;
    const plain = this.#deviationsFrom((t) => phases.phaseMean(t - period, this.#many));
    const smooth =
      period >= SMOOTHED ? this.#deviationsFrom((t) => this.#smooth(t, t - period)) : plain;
    this.#isSmooth =
      sizeOf(smooth, this.start, until) < SMOOTHER * sizeOf(plain, this.start, until);
    this.deviations = this.#isSmooth ? smooth : plain;
    this.#deviationMeans = new Phases(this.deviations, 1);
    this.level = smoothed(this.deviations, this.start, until, false);
    this.#trend = smoothed(this.deviations, this.start, until, true);
    this.autoregression = autoregression(this.deviations, this.start, until);
    this.#isPositive = isPositive;
    const isLearnable = until >= 3 * period + (period > 1 ? 8 : 18);
    const past = isLearnable
      ? new Past(y, period, long + 2 * period + 20 < until ? long : 0)
      : undefined;
    this.#regression = past
      ? fitRegression(
          past,
          Math.max(1, Math.min(horizon, until - past.start)),
          until,
          REGRESSION_SAMPLES,
        )
      : undefined;
  }

  /** y less what the earlier cycles had at its phase; y itself without a season. */
  #deviationsFrom(mean: (t: number) => number): Float64Array {
    const { y, period } = this.phases;
    return period > 1 ? y.map((value, t) => (t < period ? 0 : value - mean(t))) : y;
  }

  /** Mean of the many cycles at the phase of step h; the mean of many points without a season. */
  seasonal(end: number, h: number): number {
    const { phases } = this;
    if (phases.period === 1) return phases.windowMean(end, MANY_POINTS);
    const same = phases.latestSame(end, h);
    return this.#isSmooth ? this.#smooth(end, same) : phases.phaseMean(same, this.#many);
  }

  /** Writes the forecasts of all anchors for ascending `steps` after `end` points: out [steps][anchors]. */
  forecast(end: number, steps: ArrayLike<number>, out: Float64Array): void {
    const count = steps.length;
    const width = ANCHORS.length;
    if (count === 0) return;
    const path = autoregress(
      this.autoregression,
      this.deviations,
      this.start,
      end,
      steps[count - 1]!,
    );
    const levels = this.#levelsAt(end);
    for (let k = 0; k < count; k++) this.#write(end, steps[k]!, levels, path, out, k * width);
    if (this.#regression) regress(this.#regression, end, steps, out, width);
  }

  #levelsAt(end: number) {
    const { phases } = this;
    const { period } = phases;
    const e = this.#deviationMeans;
    const recent = period > 1 ? Math.max(2, Math.round(period / 6)) : FEW_POINTS;
    const cycle = period > 1 ? period : 4 * FEW_POINTS;
    const far = e.windowMean(Math.max(1, end - cycle), cycle);
    const near = e.windowMean(end, cycle);
    const many = phases.windowMean(end, this.#many * period);
    const now = phases.windowMean(end, period);
    return {
      recent: e.windowMean(end, recent),
      cycle: near,
      slope: end > 2 * cycle ? (near - far) / cycle : 0,
      cycleLength: cycle,
      step: now - phases.windowMean(end, this.#few * period),
      ratio: this.#isPositive && many > 0 ? Math.min(4, Math.max(0.25, now / many)) : 0,
      longStep: now,
    };
  }

  #write(
    end: number,
    h: number,
    levels: ReturnType<Anchors['levelsOf']>,
    path: Float64Array,
    out: Float64Array,
    at: number,
  ): void {
    const { phases, deviations } = this;
    const { period, y } = phases;
    const isSeasonal = period > 1;
    const same = phases.latestSame(end, h);
    const many = isSeasonal ? this.seasonal(end, h) : 0;
    const few = isSeasonal ? phases.phaseMean(same, this.#few) : phases.windowMean(end, FEW_POINTS);
    out[at] = y[end - 1]!;
    out[at + 1] = y[same]!;
    out[at + 2] = few;
    out[at + 3] = isSeasonal ? few + levels.step : phases.windowMean(end, 2 * FEW_POINTS);
    out[at + 4] = isSeasonal
      ? phases.phaseMean(same, this.#many)
      : phases.windowMean(end, MANY_POINTS);
    out[at + 5] = many + deviations[end - 1]!;
    out[at + 6] = many + levels.recent;
    out[at + 7] = many + levels.cycle;
    out[at + 8] = many + this.level.level[end]!;
    out[at + 9] = many + this.#trend.level[end]! + dampedSteps(h) * this.#trend.slope[end]!;
    out[at + 10] = many + path[h - 1]!;
    out[at + 11] = this.#smooth(end, same) + (isSeasonal ? levels.cycle : 0);
    out[at + 12] = isSeasonal && levels.ratio > 0 ? many * levels.ratio : out[at + 7]!;
    out[at + 13] = this.seasons.long > 0 ? this.#longSeason(end, h, levels.longStep) : out[at + 7]!;
    const middle = (levels.cycleLength - 1) / 2;
    out[at + 14] =
      many + levels.cycle + levels.slope * Math.min(h + middle, 4 * levels.cycleLength);
    out[at + 15] = out[at + 8]!;
  }

  /** Type of what one origin's steps share. */
  levelsOf(end: number) {
    return this.#levelsAt(end);
  }

  /** Mean of many cycles over the phases around that of the point `same`; of many points without a season. */
  #smooth(end: number, same: number): number {
    const { phases } = this;
    const around = Math.max(1, Math.floor(phases.period / NEIGHBOURS));
    if (phases.period < 4)
      return phases.windowMean(end, phases.period > 1 ? MANY : 4 * MANY_POINTS);
    const apart = Math.ceil(around / 3);
    let sum = 0;
    let count = 0;
    for (let j = same - around; j <= same + around; j += apart) {
      const known = j < end ? j : j - phases.period;
      if (known < 0) continue;
      sum += phases.phaseMean(known, this.#many);
      count++;
    }
    return count > 0 ? sum / count : phases.phaseMean(same, this.#many);
  }

  /** Mean of the last long seasons at the step, moved by how the level changed since. */
  #longSeason(end: number, h: number, now: number): number {
    const { phases, seasons } = this;
    const { y } = phases;
    const back = seasons.long * Math.ceil(h / seasons.long);
    let sum = 0;
    let before = 0;
    let count = 0;
    for (let cycle = 0; cycle < LONG_CYCLES; cycle++) {
      const then = end - back - cycle * seasons.long;
      if (then + h - 1 < 0) break;
      sum += y[then + h - 1]!;
      before += then > seasons.period ? phases.windowMean(then, seasons.period) : now;
      count++;
    }
    if (count === 0) return y[phases.latestSame(end, h)]!;
    const isNested = seasons.long % seasons.period === 0;
    return sum / count + (isNested ? 0.5 : 1) * (now - before / count);
  }
}

const sizeOf = (e: Float64Array, start: number, until: number): number => {
  let sum = 0;
  for (let t = start; t < until; t++) sum += Math.abs(e[t]!);
  return sum;
};

/** The regression's centers into the last column; coefficients between its own steps by the logarithm of the step. */
const regress = (
  { past, steps, fits }: Regression,
  end: number,
  asked: ArrayLike<number>,
  out: Float64Array,
  width: number,
): void => {
  const row = new Float64Array(past.width);
  const last = steps.length - 1;
  for (let i = 0, k = 0; i < asked.length; i++) {
    const h = asked[i]!;
    while (k < last - 1 && steps[k + 1]! <= h) k++;
    const next = Math.min(k + 1, last);
    const place = next === k ? 0 : Math.log(h / steps[k]!) / Math.log(steps[next]! / steps[k]!);
    const share = Math.min(1, Math.max(0, place));
    const [a, b] = [fits[k]!.coefficients, fits[next]!.coefficients];
    const base = past.base(end, h);
    past.features(end, h, base, row);
    let value = base;
    for (let j = 0; j < row.length; j++) value += (a[j]! * (1 - share) + b[j]! * share) * row[j]!;
    out[i * width + width - 1] = value;
  }
};
