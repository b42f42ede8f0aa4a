/**
 * Several seasons at once, after MSTL (Bandara, Hyndman and Bergmeir, 2021): seasonal shapes are estimated in
 * turn, each on what the others leave, from cycles weighted by recency and robustly against wild values; the
 * seasonally adjusted series is forecast by exponential smoothing, and the latest shapes are added back.
 */
import { fitEts } from './auto-ets.ts';
import { etsMean, etsVariance, initialState, runEts } from './ets.ts';
import { type History, latest, normalPrediction, type Prediction } from './history.ts';
import { movingAverage } from './moving-average.ts';
import { normalQuantile } from './normal.ts';

const ROUNDS = 2;
const FITTED_SEASONS = 10;
const FITTED_POINTS = 1000;
const SMOOTHED_POINTS = 400;
/** Weights of a cycle against the next; that which foresees the cycles best is taken. */
const MEMORIES = [0.5, 0.7, 0.85, 0.95, 1];

export interface Shape {
  readonly period: number;
  /** By time modulo the period, as the end of the series has it, [period]. */
  readonly profile: Float64Array;
  readonly memory: number;
}

export interface Decomposition {
  readonly shapes: readonly Shape[];
  /** The series without its seasons, [n]. */
  readonly adjusted: Float64Array;
}

/** Splits values into a shape for each of the season lengths and the rest. */
export const decompose = (values: Float64Array, seasons: readonly number[]): Decomposition => {
  const periods = seasons.filter((period) => 2 * period <= values.length).sort((a, b) => a - b);
  const parts = periods.map(() => new Float64Array(values.length));
  let shapes: Shape[] = [];
  for (let round = 0; round < (periods.length > 1 ? ROUNDS : 1); round++) {
    shapes = periods.map((period, k) =>
      shapeOf(without(values, parts, parts[k]), period, parts[k]!),
    );
  }
  return { shapes, adjusted: without(values, parts) };
};

/** Values less all parts but `kept`. */
const without = (
  values: Float64Array,
  parts: readonly Float64Array[],
  kept?: Float64Array,
): Float64Array => {
  const rest = values.slice();
  for (const part of parts) {
    if (part === kept) continue;
    for (let t = 0; t < rest.length; t++) rest[t]! -= part[t]!;
  }
  return rest;
};

/** Estimates one season's shape; `part` receives the seasonal component over time. */
const shapeOf = (values: Float64Array, period: number, part: Float64Array): Shape => {
  const rough = without(values, [movingAverage(values, period)]);
  const calm = clipped(rough, period);
  const smoothed = MEMORIES.map((memory) => smoothCycles(calm, period, memory));
  const { memory, profile } = smoothed.reduce((a, b) => (b.error < a.error ? b : a));
  component(calm, period, memory, part);
  return { period, profile, memory };
};

/** Cuts each phase's values to within three mean deviations of their mean. */
const clipped = (rough: Float64Array, period: number): Float64Array => {
  const calm = rough.slice();
  for (let phase = 0; phase < period; phase++) {
    let sum = 0;
    let spread = 0;
    let count = 0;
    for (let t = phase; t < rough.length; t += period, count++) sum += rough[t]!;
    const center = sum / count;
    for (let t = phase; t < rough.length; t += period) spread += Math.abs(rough[t]! - center);
    const reach = (3 * spread) / count;
    for (let t = phase; t < rough.length; t += period) {
      calm[t] = Math.min(center + reach, Math.max(center - reach, rough[t]!));
    }
  }
  return calm;
};

/** Each phase's mean over past cycles, discounted by `memory` a cycle, and its error on the next cycle. */
const smoothCycles = (
  calm: Float64Array,
  period: number,
  memory: number,
): { memory: number; profile: Float64Array; error: number } => {
  const profile = calm.slice(0, period);
  let error = 0;
  let weight = 1;
  // Cycle by cycle: all phases of a cycle count with the same weight.
  for (let start = period; start < calm.length; start += period) {
    weight = weight * memory + 1;
    const share = 1 / weight;
    const end = Math.min(period, calm.length - start);
    for (let phase = 0; phase < end; phase++) {
      const off = calm[start + phase]! - profile[phase]!;
      error += Math.abs(off);
      profile[phase]! += share * off;
    }
  }
  return { memory, profile, error };
};

/** Each phase's mean over past and coming cycles, discounted by their distance: the component over time. */
const component = (
  calm: Float64Array,
  period: number,
  memory: number,
  part: Float64Array,
): void => {
  const n = calm.length;
  for (let phase = 0; phase < period && phase < n; phase++) {
    let weight = 0;
    let sum = 0;
    for (let t = phase; t < n; t += period) {
      weight = weight * memory + 1;
      sum = sum * memory + calm[t]!;
      part[t] = sum / weight;
    }
    let later = 0;
    sum = 0;
    const last = phase + Math.floor((n - 1 - phase) / period) * period;
    for (let t = last; t >= 0; t -= period) {
      part[t] = (part[t]! * weight + sum * memory) / (weight + later * memory);
      sum = sum * memory + calm[t]!;
      later = later * memory + 1;
      weight = (weight - 1) / memory;
    }
  }
};

/** The level of the adjusted series, carried on, and the latest seasonal shapes on it. */
export const mstl = (whole: History, horizon: number): Prediction => {
  const longest = Math.max(1, ...whole.seasons.filter((s) => 2 * s <= whole.values.length));
  const { values } = latest(whole, Math.max(FITTED_POINTS, FITTED_SEASONS * longest));
  const { shapes, adjusted } = decompose(values, whole.seasons);
  const recent = adjusted.subarray(Math.max(0, adjusted.length - SMOOTHED_POINTS));
  const { form, parameters, variance } = fitEts(recent, 1, false, 40);
  const state = initialState(recent, form);
  runEts(recent, form, parameters, state);
  const level = etsMean(form, parameters.phi, state, recent.length, horizon);
  const spread = etsVariance(form, parameters, horizon);
  const mean = level.map((value, h) =>
    shapes.reduce(
      (sum, { profile, period }) => sum + profile[(values.length + h) % period]!,
      value,
    ),
  );
  const deviations = spread.map((units) => Math.sqrt(variance * units));
  const explanation = {
    seasons: shapes.map(({ period, memory }) => ({ length: period, memory })),
    trend: form.trend,
    ...parameters,
  };
  return normalPrediction(mean, deviations, explanation, normalQuantile);
};
