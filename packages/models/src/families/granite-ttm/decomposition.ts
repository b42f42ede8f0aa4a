/**
 * The decomposed models of r3: one forecaster reads the standardised series, another what a robust
 * smoother leaves of its recent past; their forecasts add up.
 */
import {
  abs,
  add,
  addDims,
  concat,
  conv1d,
  type Dim,
  dimOf,
  div,
  input,
  mean,
  minimum,
  mul,
  rearrange,
  sign,
  slice,
  sqrt,
  sub,
  sum,
  symbol,
  type Tensor,
  take,
  top,
  type Weights,
} from '@tollama/graph';
import type { Probe } from '../../family.ts';
import { pickChannels } from './channel-mixing.ts';
import {
  predictedChannels,
  residualConfig,
  selectsChannels,
  type TtmConfig,
  trendConfig,
} from './config.ts';
import {
  type Forecast,
  type ForecasterInputs,
  forecaster,
  unscaleQuantiles,
} from './forecaster.ts';
import { filled, scaleContext, unscale } from './scaler.ts';

const EPSILON = 1e-8;
const ROBUST_ITERATIONS = 2;
/** Residuals beyond this many MADs have no weight. */
const TUKEY_REACH = 6;

// ---- the smoother's tables, which depend on the length of the context --------------------------

const WINDOW_SHARE = 0.15;
const LEAST_WINDOW = 5;

const roundHalfToEven = (x: number): number => {
  const below = Math.floor(x);
  const rest = x - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
};

/** Odd, 15 % of the length, between 5 and the length; lengths below 3 have none. */
export const smoothingWindow = (length: number): number => {
  const wish = Math.max(LEAST_WINDOW, roundHalfToEven(WINDOW_SHARE * length));
  const odd = wish % 2 === 1 ? wish : wish + 1;
  return Math.min(odd, length % 2 === 1 ? length : length - 1);
};

/** A Gaussian of standard deviation window / 4 that sums to 1. */
export const smoothingKernel = (window: number): Float32Array => {
  const reach = (window - 1) / 2;
  const sigma = 0.25 * window;
  const bell = Array.from({ length: window }, (_, i) =>
    Math.exp(-0.5 * ((i - reach) / sigma) ** 2),
  );
  const total = bell.reduce((a, b) => a + b, 0) + 1e-12;
  return Float32Array.from(bell, (value) => value / total);
};

/** Places of a series that is mirrored at both ends (the end points once) by half a window. */
export const mirroredPlaces = (length: number, window: number): BigInt64Array => {
  const reach = (window - 1) / 2;
  return BigInt64Array.from({ length: length + window - 1 }, (_, i) => {
    const at = Math.abs(i - reach);
    return BigInt(at < length ? at : 2 * (length - 1) - at);
  });
};

/** Inputs of the graph that carry these tables for a context of `length` steps. */
export interface SmootherInputs {
  readonly kernel: Tensor;
  readonly places: Tensor;
  /** Place of the lower median among the values in order, [1] int64. */
  readonly medianRank: Tensor;
}

export const smootherInputs = (length: Dim): SmootherInputs => {
  const window = symbol('window');
  return {
    kernel: input('smoothing_kernel', [window]),
    places: input('mirrored_places', [addDims(length, window, -1)], 'int64'),
    medianRank: input('median_rank', [1], 'int64'),
  };
};

// ---- the smoother -------------------------------------------------------------------------------

const overTime = (x: Tensor): Tensor => mean(x, 2, { keepAxes: true });

const smooth = (x: Tensor, { kernel, places }: SmootherInputs): Tensor => {
  const rows = rearrange(take(x, places, 2), 'b c t -> (b c) 1 t');
  const weight = rearrange(kernel, 'w -> 1 1 w');
  return rearrange(conv1d(rows, weight), '(b c) 1 t -> b c t', { c: dimOf(x, 1) });
};

const median = (x: Tensor, rank: Tensor): Tensor =>
  take(top(x, dimOf(x, 2), { largest: false }).values, rank, 2);

/** Tukey's bisquare of the residuals, in units of their median absolute deviation. */
const bisquare = (residual: Tensor, rank: Tensor): Tensor => {
  const centred = sub(residual, median(residual, rank));
  const spread = add(median(abs(centred), rank), EPSILON);
  const u = div(centred, mul(spread, TUKEY_REACH));
  const inside = sub(1, minimum(mul(u, u), 1));
  return mul(inside, inside);
};

/** Gaussian local averages, reweighted by how far the values lie off. x [b, c, t] -> [b, c, t] */
const robustTrend = (x: Tensor, tables: SmootherInputs): Tensor => {
  const level = overTime(x);
  const levelled = (y: Tensor): Tensor => add(sub(y, overTime(y)), level);
  let trend = levelled(div(smooth(x, tables), add(sum(tables.kernel, 0), EPSILON)));
  for (let i = 0; i < ROBUST_ITERATIONS; i++) {
    const weight = bisquare(sub(x, trend), tables.medianRank);
    const total = add(smooth(weight, tables), EPSILON);
    trend = levelled(div(smooth(mul(x, weight), tables), total));
  }
  return trend;
};

// ---- the two forecasters -------------------------------------------------------------------------

/** The last `length` steps, with zeros in front where there are fewer. */
const fit = (x: Tensor, length: number): Tensor =>
  slice(concat([filled(x, length, 0), x], 2), 2, { start: dimOf(x, 2) });

/** Medians add up; widths too, or as independent errors do. Both [b, c, q, t]. */
const combineQuantiles = (trend: Tensor, residual: Tensor, c: TtmConfig): Tensor => {
  if (!c.combine_quantiles_via_variance) return add(trend, residual);
  const middle = (c.quantile_levels.length - 1) / 2;
  const medianOf = (q: Tensor): Tensor => slice(q, 2, { start: middle, end: middle + 1 });
  const widthOfTrend = sub(trend, medianOf(trend));
  const widthOfResidual = sub(residual, medianOf(residual));
  const squares = add(mul(widthOfTrend, widthOfTrend), mul(widthOfResidual, widthOfResidual));
  const side = sign(add(widthOfTrend, widthOfResidual)); // 0 at the median
  const width = mul(side, sqrt(add(squares, EPSILON)));
  return add(add(medianOf(trend), medianOf(residual)), width);
};

const byStep = (x: Tensor): Tensor => rearrange(x, 'b c t -> b t c');

/** As `forecaster`, for a context of any length from 3 steps on. */
export const decomposedForecaster = (
  inputs: ForecasterInputs,
  tables: SmootherInputs,
  w: Weights,
  c: TtmConfig,
  probe: Probe,
): Forecast => {
  const { values, ...all } = scaleContext(inputs.past, inputs.observed, c);
  const pick = (x: Tensor): Tensor =>
    selectsChannels(c) ? pickChannels(x, predictedChannels(c)) : x;
  const scale = { loc: pick(all.loc), scale: pick(all.scale) };
  const trend = robustTrend(values, tables);
  const [slow, quick] = [trendConfig(c), residualConfig(c)];
  const part = (x: Tensor, config: TtmConfig): ForecasterInputs => ({
    ...inputs,
    past: fit(x, config.context_length),
    observed: fit(inputs.observed, config.context_length),
  });
  const residualInput = part(sub(values, trend), quick);
  const ofTrend = forecaster(part(values, slow), w.at('trend_forecaster'), slow, probe);
  const ofResidual = forecaster(residualInput, w.at('residual_forecaster'), quick, (name, x) =>
    probe(`residual_${name}`, x),
  );
  probe('trend_input', byStep(unscale(trend, all)));
  probe('residual_input', byStep(unscale(residualInput.past, all)));
  probe('trend_prediction_outputs', byStep(unscale(ofTrend.point, scale)));
  probe('residual_prediction_outputs', byStep(unscale(ofResidual.point, scale)));
  const point = unscale(add(ofTrend.point, ofResidual.point), scale);
  if (!ofTrend.quantiles || !ofResidual.quantiles) return { point, quantiles: undefined, ...scale };

  const unscaled = unscaleQuantiles(ofTrend.quantiles, scale);
  probe('trend_quantile_outputs', rearrange(unscaled, 'b c q t -> b q t c'));
  const combined = combineQuantiles(ofTrend.quantiles, ofResidual.quantiles, c);
  return { point, quantiles: unscaleQuantiles(combined, scale), ...scale };
};
