/**
 * Exponential smoothing in innovations state space form (Hyndman, Koehler, Ord and Snyder, "Forecasting with
 * Exponential Smoothing", 2008): trend none, additive or damped; season none, additive or multiplicative.
 * Additive models have additive errors, multiplicative seasons multiplicative errors.
 *
 *   m = level + phi trend                       forecast mu = m + s   or   m s
 *   level' = m + alpha e    trend' = phi trend + beta e    s' = s + gamma e
 *   (multiplicative: e / s in the first two, e / m in the third; e = y - mu)
 */
import { mean as meanOf, movingAverage } from './moving-average.ts';

export interface EtsForm {
  readonly trend: 'none' | 'additive' | 'damped';
  readonly season: 'none' | 'additive' | 'multiplicative';
  /** Season length; 1 without a season. */
  readonly period: number;
}

export interface EtsParameters {
  readonly alpha: number;
  readonly beta: number;
  readonly gamma: number;
  readonly phi: number;
}

export interface EtsState {
  level: number;
  trend: number;
  /** Seasonal terms by time modulo the period, [period]. */
  readonly season: Float64Array;
}

/** `ETS(A,Ad,N)` and so on. */
export const etsName = ({ trend, season }: EtsForm): string => {
  const error = season === 'multiplicative' ? 'M' : 'A';
  const terms = { none: 'N', additive: 'A', damped: 'Ad', multiplicative: 'M' };
  return `ETS(${error},${terms[trend]},${terms[season]})`;
};

/** Starting values from the first seasons: classical decomposition, then a line through ten points. */
export const initialState = (y: Float64Array, form: EtsForm): EtsState => {
  const { period } = form;
  const season = new Float64Array(period).fill(form.season === 'multiplicative' ? 1 : 0);
  const stretch = y.subarray(0, Math.min(y.length, Math.max(3 * period, 10)));
  if (form.season !== 'none') setSeason(season, stretch, form);
  const flat = stretch.map((value, t) => {
    if (form.season === 'none') return value;
    const term = season[t % period]!;
    return form.season === 'additive' ? value - term : value / term;
  });
  const used = Math.min(flat.length, Math.max(10, 2 * period));
  if (form.trend === 'none')
    return { level: meanOf(flat, 0, Math.min(used, 10)), trend: 0, season };
  const middle = (used - 1) / 2;
  let product = 0;
  for (let t = 0; t < used; t++) product += (t - middle) * flat[t]!;
  const slope = used > 1 ? product / ((used * (used * used - 1)) / 12) : 0;
  return { level: meanOf(flat, 0, used) - slope * (middle + 1), trend: slope, season };
};

const setSeason = (season: Float64Array, stretch: Float64Array, form: EtsForm): void => {
  const { period } = form;
  const isAdditive = form.season === 'additive';
  const trend = movingAverage(stretch, period);
  for (let phase = 0; phase < period; phase++) {
    let sum = 0;
    let count = 0;
    for (let t = phase; t < stretch.length; t += period, count++) {
      sum += isAdditive ? stretch[t]! - trend[t]! : stretch[t]! / trend[t]!;
    }
    season[phase] = sum / count;
  }
  const average = meanOf(season, 0, period);
  for (let phase = 0; phase < period; phase++) {
    season[phase] = isAdditive
      ? season[phase]! - average
      : Math.max(0.01, season[phase]! / average);
  }
};

export interface EtsRun {
  /** Sum of squared (multiplicative: relative) one-step errors. */
  readonly squares: number;
  /** Sum of log |mu|, for the likelihood of multiplicative errors; 0 for additive ones. */
  readonly logs: number;
}

/** A level alone: simple exponential smoothing. */
const runLevel = (y: Float64Array, alpha: number, state: EtsState): EtsRun => {
  let { level } = state;
  let squares = 0;
  for (let t = 0; t < y.length; t++) {
    const error = y[t]! - level;
    level += alpha * error;
    squares += error * error;
  }
  state.level = level;
  return { squares, logs: 0 };
};

/** A level and a trend without a season. */
const runTrend = (
  y: Float64Array,
  { alpha, beta, phi }: EtsParameters,
  state: EtsState,
): EtsRun => {
  let { level, trend } = state;
  let squares = 0;
  for (let t = 0; t < y.length; t++) {
    const step = phi * trend;
    const mu = level + step;
    const error = y[t]! - mu;
    level = mu + alpha * error;
    trend = step + beta * error;
    squares += error * error;
  }
  state.level = level;
  state.trend = trend;
  return { squares, logs: 0 };
};

/** Filters y through the model; `state` is moved to the end of y, `errors` receives one-step errors. */
export const runEts = (
  y: Float64Array,
  form: EtsForm,
  parameters: EtsParameters,
  state: EtsState,
  errors?: Float64Array,
): EtsRun => {
  if (form.season === 'none' && !errors) {
    return form.trend === 'none'
      ? runLevel(y, parameters.alpha, state)
      : runTrend(y, parameters, state);
  }
  return runSeason(y, form, parameters, state, errors);
};

const runSeason = (
  y: Float64Array,
  form: EtsForm,
  { alpha, beta, gamma, phi }: EtsParameters,
  state: EtsState,
  errors?: Float64Array,
): EtsRun => {
  const { season } = state;
  const { period } = form;
  const isMultiplicative = form.season === 'multiplicative';
  const isSeasonal = form.season !== 'none';
  let { level, trend } = state;
  let squares = 0;
  let logs = 0;
  for (let t = 0, phase = 0; t < y.length; t++) {
    const base = level + phi * trend;
    const term = season[phase]!;
    const mu = isMultiplicative ? base * term : base + term;
    const error = y[t]! - mu;
    const push = isMultiplicative ? error / term : error;
    level = base + alpha * push;
    trend = phi * trend + beta * push;
    if (isSeasonal) season[phase] = term + gamma * (isMultiplicative ? error / base : error);
    const scaled = isMultiplicative ? error / mu : error;
    squares += scaled * scaled;
    if (isMultiplicative) logs += Math.log(Math.abs(mu));
    if (errors) errors[t] = scaled;
    if (++phase === period) phase = 0;
  }
  state.level = level;
  state.trend = trend;
  return { squares, logs };
};

/** Means after the end of the history. `offset`: length of the history, for the phase. */
export const etsMean = (
  form: EtsForm,
  phi: number,
  state: EtsState,
  offset: number,
  horizon: number,
): Float64Array => {
  const mean = new Float64Array(horizon);
  let damping = 0;
  for (let h = 0; h < horizon; h++) {
    damping += phi ** (h + 1);
    const base = state.level + damping * state.trend;
    const term = state.season[(offset + h) % form.period]!;
    mean[h] = form.season === 'multiplicative' ? base * term : base + term;
  }
  return mean;
};

/**
 * Forecast variance in units of the one-step variance: 1 + sum of c_j^2, j < h (ibid., table 6.2), with
 * c_j = alpha + beta (phi + ... + phi^j) + gamma [j is a whole season]. For multiplicative errors it is
 * the variance of the relative error to first order.
 */
export const etsVariance = (
  form: EtsForm,
  { alpha, beta, gamma, phi }: EtsParameters,
  horizon: number,
): Float64Array => {
  const variance = new Float64Array(horizon);
  let total = 1;
  let reach = 0;
  for (let h = 0; h < horizon; h++) {
    variance[h] = total;
    reach += phi ** h;
    const isWholeSeason = form.season !== 'none' && (h + 1) % form.period === 0;
    const c =
      alpha + (form.trend === 'none' ? 0 : beta * reach * phi) + (isWholeSeason ? gamma : 0);
    total += c * c;
  }
  return variance;
};
