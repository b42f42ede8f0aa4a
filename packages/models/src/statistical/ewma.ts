/**
 * Exponentially weighted moving average: simple exponential smoothing with the smoothing parameter that
 * foresaw the history best. Forecast variance sigma^2 (1 + (h - 1) alpha^2).
 */
import { type History, latest, normalPrediction, type Prediction } from './history.ts';
import { normalQuantile } from './normal.ts';
import { runTheta } from './theta.ts';

const ALPHAS = Array.from({ length: 40 }, (_, i) => 0.01 + (i * 0.98) / 39);
const FITTED_POINTS = 2000;

/** The smoothed level, the same at each step. */
export const ewma = (whole: History, horizon: number): Prediction => {
  const { values } = latest(whole, FITTED_POINTS);
  // A theta line of 1 is the series itself: plain smoothing.
  const fits = ALPHAS.map((alpha) => runTheta(values, 1, alpha, { slope: 0 }));
  const { alpha, level, squares } = fits.reduce((a, b) => (b.squares < a.squares ? b : a));
  const variance = squares / Math.max(1, values.length - 2);
  const mean = new Float64Array(horizon).fill(level);
  const deviations = mean.map((_, h) => Math.sqrt(variance * (1 + h * alpha ** 2)));
  return normalPrediction(mean, deviations, { alpha, level }, normalQuantile);
};
