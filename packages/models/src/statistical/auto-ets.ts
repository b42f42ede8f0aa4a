/**
 * AutoETS: the forms of exponential smoothing that suit the series are fitted, and the one with the lowest
 * corrected information criterion (AICc) forecasts.
 */
import {
  type EtsForm,
  type EtsParameters,
  type EtsState,
  etsMean,
  etsName,
  etsVariance,
  initialState,
  runEts,
} from './ets.ts';
import { type History, latest, normalPrediction, type Prediction } from './history.ts';
import { minimize } from './nelder-mead.ts';
import { normalQuantile } from './normal.ts';

interface Fit {
  readonly form: EtsForm;
  readonly parameters: EtsParameters;
  readonly aicc: number;
  readonly variance: number;
}

/** Older points no longer move the smoothed state; this many seasons and points are fitted. */
const FITTED_POINTS = 1000;
const FITTED_SEASONS = 6;
const EVALUATIONS = 90;

/** Trends worth fitting: a damped one when the series is long enough, a straight one while it is short. */
const trendsFor = (length: number, season: number): EtsForm['trend'][] => {
  if (length < Math.max(6, season + 5)) return [];
  return length <= 200 ? ['damped', 'additive'] : ['damped'];
};

const toParameters = (point: readonly number[], form: EtsForm): EtsParameters => {
  const alpha = point[0]!;
  let next = 1;
  const gamma = form.season === 'none' ? 0 : point[next++]! * (1 - alpha);
  const beta = form.trend === 'none' ? 0 : point[next++]! * alpha;
  const phi = form.trend === 'damped' ? point[next]! : 1;
  return { alpha, beta, gamma, phi };
};

/** -2 log likelihood without its constants; `initial` is left as it is. */
const deviance = (
  y: Float64Array,
  form: EtsForm,
  parameters: EtsParameters,
  initial: EtsState,
): number => {
  const { level, trend } = initial;
  const season = form.season === 'none' ? initial.season : initial.season.slice();
  const state = { level, trend, season };
  const { squares, logs } = runEts(y, form, parameters, state);
  const value = y.length * Math.log(Math.max(squares, 1e-300) / y.length) + 2 * logs;
  return Number.isFinite(value) ? value : Number.MAX_VALUE;
};

const fit = (y: Float64Array, form: EtsForm, evaluations: number): Fit => {
  const start = [0.3];
  const lower = [0.001];
  const upper = [0.999];
  if (form.season !== 'none') {
    start.push(0.2);
    lower.push(0);
    upper.push(0.9);
  }
  if (form.trend !== 'none') {
    start.push(0.1);
    lower.push(0);
    upper.push(0.6);
  }
  if (form.trend === 'damped') {
    start.push(0.95);
    lower.push(0.8);
    upper.push(0.995);
  }
  const initial = initialState(y, form);
  const objective = (point: readonly number[]): number =>
    deviance(y, form, toParameters(point, form), initial);
  // One parameter is found sooner than four.
  const most = Math.min(evaluations, 15 * start.length + 10);
  const best = minimize(objective, start, { lower, upper }, most);
  const parameters = toParameters(best.point, form);
  const n = y.length;
  const states =
    1 + (form.trend === 'none' ? 0 : 1) + (form.season === 'none' ? 0 : form.period - 1);
  const count = start.length + states + 1;
  const spare = Math.max(0.5, n - count - 1);
  const { squares } = runEts(y, form, parameters, initialState(y, form));
  return {
    form,
    parameters,
    aicc: best.value + 2 * count + (2 * count * (count + 1)) / spare,
    variance: squares / Math.max(1, n - start.length),
  };
};

/** Steps of the grid that a search reads its series on, for each unit. */
const GRID = 2 ** 26;

/**
 * The series as searches read it: on a grid far finer than any datum and far coarser than roundings, so that the same
 * series in other units, whose last bits differ, takes the same way through the search to the same parameters.
 */
export const onGrid = (y: Float64Array): Float64Array => {
  const coarse = new Float64Array(y.length);
  for (let t = 0; t < y.length; t++) coarse[t] = Math.round(y[t]! * GRID) / GRID;
  return coarse;
};

/** The best form by AICc: the season's kind without a trend first, then the trend for it. */
export const fitEts = (
  exact: Float64Array,
  season: number,
  isPositive: boolean,
  evaluations = EVALUATIONS,
): Fit => {
  const y = onGrid(exact);
  const period = Math.max(season, 1);
  const kinds: EtsForm['season'][] = period === 1 ? ['none'] : ['additive'];
  if (period > 1 && isPositive) kinds.push('multiplicative');
  const better = (best: Fit, other: Fit): Fit => (other.aicc < best.aicc ? other : best);
  const flat = kinds
    .map((kind) => fit(y, { trend: 'none', season: kind, period }, evaluations))
    .reduce(better);
  return trendsFor(y.length, period)
    .map((trend) => fit(y, { ...flat.form, trend }, evaluations))
    .reduce(better, flat);
};

/** The first season with two cycles in the history; 1 where there is none. */
export const mainSeason = ({ values, seasons }: History): number =>
  seasons.find((length) => 2 * length <= values.length) ?? 1;

/** Forecasts by the chosen form; the explanation names it, with its season, AICc and parameters. */
export const autoEts = (whole: History, horizon: number): Prediction => {
  const season = mainSeason(whole);
  const { values, zero } = latest(whole, Math.max(FITTED_POINTS, FITTED_SEASONS * season));
  // A multiplicative season on values that come near 0 divides by nothing.
  const lowest =
    values.reduce((low, value) => Math.min(low, value), Number.POSITIVE_INFINITY) - zero;
  const isPositive = whole.isNonNegative && lowest > 0.1 && lowest < 1e6;
  // Ratios need the true 0; differences do without, and lose no digits to it.
  const base = isPositive ? zero : 0;
  const y = isPositive ? values.map((value) => value - zero) : values;
  const { form, parameters, aicc, variance } = fitEts(y, season, isPositive);
  const state = initialState(y, form);
  runEts(y, form, parameters, state);
  const mean = etsMean(form, parameters.phi, state, y.length, horizon);
  const spread = etsVariance(form, parameters, horizon);
  const deviations = spread.map((units, h) => {
    const size = form.season === 'multiplicative' ? Math.abs(mean[h]!) : 1;
    return size * Math.sqrt(variance * units);
  });
  const explanation = { form: etsName(form), season: form.period, aicc, ...parameters };
  return normalPrediction(
    mean.map((value) => value + base),
    deviations,
    explanation,
    normalQuantile,
  );
};
