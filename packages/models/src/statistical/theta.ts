/**
 * The Theta method (Assimakopoulos and Nikolopoulos, 2000) with an optimised theta line (Fiorucci et al.,
 * "Models for optimising the theta method and their relationship to state space models", 2016): the series
 * without its season is split into its straight line and a line of theta times its curvature; the former is
 * carried on, the latter smoothed exponentially, and the two are weighted to give the series back:
 *
 *   forecast(h) = level + (1 - 1/theta) slope (h - 1 + (1 - (1 - alpha)^n) / alpha)
 *
 * theta = 2 is the classical method: simple exponential smoothing with half the slope as its drift
 * (Hyndman and Billah, 2003).
 */
import { mainSeason, onGrid } from './auto-ets.ts';
import { type History, latest, normalPrediction, type Prediction } from './history.ts';
import { mean as meanOf, movingAverage } from './moving-average.ts';
import { normalQuantile } from './normal.ts';

const THETAS = [1, 1.5, 2, 3, 5, 10];
/**
 * Thetas above the classical 2 follow the straight line, which on short series is mostly noise: they must lower
 * n log(squares) by this much. On short windows of real series that takes 2 to 12 % off the error; a straight
 * line is still carried on.
 */
const STEEP_PENALTY = 12;
const ALPHAS = Array.from({ length: 20 }, (_, i) => 0.02 + (i * 0.97) / 19);
const FITTED_POINTS = 1000;

interface ThetaFit {
  readonly theta: number;
  readonly alpha: number;
  readonly level: number;
  readonly squares: number;
}

/** Least-squares line through y at t = 1 ... n. */
export const lineThrough = (y: Float64Array): { intercept: number; slope: number } => {
  const n = y.length;
  if (n < 2) return { intercept: y[0] ?? 0, slope: 0 };
  const middle = (n + 1) / 2;
  let product = 0;
  for (let t = 1; t <= n; t++) product += (t - middle) * y[t - 1]!;
  const slope = product / ((n * (n * n - 1)) / 12);
  return { intercept: meanOf(y, 0, n) - slope * middle, slope };
};

/**
 * One-step errors of the method. The smoothed level is that of the series itself (smoothing is linear), and
 * what the theta line adds is known in closed form.
 */
export const runTheta = (
  y: Float64Array,
  theta: number,
  alpha: number,
  line: { slope: number },
): ThetaFit => {
  const share = 1 - 1 / theta;
  let level = y[0]!;
  let decay = 1;
  let squares = 0;
  for (let t = 1; t < y.length; t++) {
    decay *= 1 - alpha;
    const mu = level + share * line.slope * ((1 - decay) / alpha);
    const error = y[t]! - mu;
    squares += error * error;
    level += alpha * (y[t]! - level);
  }
  return { theta, alpha, level, squares };
};

/** The means after the end of y. */
export const thetaMean = (
  y: Float64Array,
  { theta, alpha, level }: ThetaFit,
  line: { slope: number },
  horizon: number,
): Float64Array => {
  const share = 1 - 1 / theta;
  const lag = (1 - (1 - alpha) ** y.length) / alpha;
  return new Float64Array(horizon).map((_, h) => level + share * line.slope * (h + lag));
};

const scoreOf = ({ theta, squares }: ThetaFit, length: number): number =>
  length * Math.log(Math.max(squares, Number.MIN_VALUE)) + (theta > 2 ? STEEP_PENALTY : 0);

/** Forecasts by the theta and alpha with the least penalised one-step errors. */
export const theta = (whole: History, horizon: number): Prediction => {
  const season = mainSeason(whole);
  const { values, zero } = latest(whole, Math.max(FITTED_POINTS, 6 * season));
  const lowest = values.reduce(
    (low, value) => Math.min(low, value - zero),
    Number.POSITIVE_INFINITY,
  );
  const isRatio = whole.isNonNegative && lowest > 0.1 && lowest < 1e6;
  const indices = seasonalIndices(values, season, isRatio ? zero : undefined);
  const flat = values.map((value, t) => {
    const index = indices[t % season]!;
    return isRatio ? (value - zero) / index + zero : value - index;
  });
  const line = lineThrough(flat);
  const read = onGrid(flat);
  const fits = THETAS.flatMap((each) => ALPHAS.map((alpha) => runTheta(read, each, alpha, line)));
  const found = fits.reduce((a, b) => (scoreOf(b, flat.length) < scoreOf(a, flat.length) ? b : a));
  const best = runTheta(flat, found.theta, found.alpha, line);
  const level = thetaMean(flat, best, line, horizon);
  const variance = best.squares / Math.max(1, flat.length - 3);
  const indexAt = (h: number): number => indices[(values.length + h) % season]!;
  const mean = level.map((value, h) =>
    isRatio ? (value - zero) * indexAt(h) + zero : value + indexAt(h),
  );
  const deviations = level.map((_, h) => {
    const size = isRatio ? indexAt(h) : 1;
    return size * Math.sqrt(variance * (1 + h * best.alpha ** 2));
  });
  const explanation = { theta: best.theta, alpha: best.alpha, slope: line.slope, season };
  return normalPrediction(mean, deviations, explanation, normalQuantile);
};

/** Classical decomposition's seasonal terms by time modulo the season; ratios to `zero` where it is given. */
const seasonalIndices = (values: Float64Array, season: number, zero?: number): Float64Array => {
  const isRatio = zero !== undefined;
  const indices = new Float64Array(season).fill(isRatio ? 1 : 0);
  if (season < 2) return indices;
  const trend = movingAverage(values, season);
  for (let phase = 0; phase < season; phase++) {
    let sum = 0;
    let count = 0;
    for (let t = phase; t < values.length; t += season, count++) {
      sum += isRatio
        ? (values[t]! - zero) / Math.max(1e-3, trend[t]! - zero)
        : values[t]! - trend[t]!;
    }
    indices[phase] = sum / count;
  }
  const average = meanOf(indices, 0, season);
  return indices.map((index) => (isRatio ? Math.max(0.01, index / average) : index - average));
};
