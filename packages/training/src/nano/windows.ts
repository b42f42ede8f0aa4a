/**
 * Training examples: a context of one series, prepared as it is for a forecast, and some steps of its future. One
 * example is a row of float32: context features, then for each step its features, the deviations of its anchors, the
 * target in units of the scale, and its weight.
 */
import { ANCHORS } from '@tollama/models/families/tollama-nano/anchors';
import {
  CONTEXT_FEATURES,
  prepareSeries,
  STEP_FEATURES,
} from '@tollama/models/families/tollama-nano/prepare';
import { CLOCKS, drawIndex } from '../synthetic/generator.ts';
import type { Random } from '../synthetic/random.ts';
import { drawSeries } from '../synthetic/sources.ts';

/** Steps of the future in one example. */
export const STEPS = 16;
export const STEP_WIDTH = STEP_FEATURES + ANCHORS.length + 2;
/** Numbers that say where an example is from: source, points, horizon, season. */
export const ORIGIN_WIDTH = 4;
export const ROW_WIDTH = CONTEXT_FEATURES + STEPS * STEP_WIDTH + ORIGIN_WIDTH;

const FARTHEST_TARGET = 60;
const LARGEST_WEIGHT = 4;

export interface WindowSource {
  readonly past: Float64Array;
  readonly future: Float64Array;
  readonly candidates: readonly number[];
  readonly seasons?: { readonly period: number; readonly long: number } | undefined;
  readonly source: number;
}

/** Steps of a horizon: half of them even in the logarithm, half even. */
const drawSteps = (random: Random, horizon: number): Int32Array => {
  const steps = Int32Array.from({ length: STEPS }, (_, k) => {
    const x = (Math.floor(k / 2) + random.uniform()) / (STEPS / 2);
    return k % 2 === 0
      ? Math.min(horizon, Math.max(1, Math.round((horizon + 0.5) ** x)))
      : Math.min(horizon, 1 + Math.floor(horizon * x));
  });
  return steps.sort();
};

/** Writes the example of a window to row; false where it cannot be one (nothing moves, or numbers overflow). */
export const writeWindow = (random: Random, window: WindowSource, row: Float32Array): boolean => {
  const { past, future, candidates, seasons, source } = window;
  const prepared = prepareSeries(past, { horizon: future.length, candidates, seasons });
  const steps = drawSteps(random, future.length);
  const { features, deviations, centers, scales } = prepared.rows(steps);
  if (past.every((value) => value === past[0])) return false;
  row.set(prepared.context, 0);
  let total = 0;
  for (let k = 0; k < STEPS; k++) total += scales[k]! / STEPS;
  const usual = total + 0.02 * prepared.unit;
  const width = ANCHORS.length;
  for (let k = 0; k < STEPS; k++) {
    const at = CONTEXT_FEATURES + k * STEP_WIDTH;
    row.set(features.subarray(k * STEP_FEATURES, (k + 1) * STEP_FEATURES), at);
    row.set(deviations.subarray(k * width, (k + 1) * width), at + STEP_FEATURES);
    const y = (future[steps[k]! - 1]! - prepared.shift) / prepared.scale;
    const z = (y - centers[k]!) / scales[k]!;
    row[at + STEP_WIDTH - 2] = Math.max(-FARTHEST_TARGET, Math.min(FARTHEST_TARGET, z));
    row[at + STEP_WIDTH - 1] = Math.min(LARGEST_WEIGHT, scales[k]! / usual);
  }
  const at = ROW_WIDTH - ORIGIN_WIDTH;
  row[at] = source;
  row[at + 1] = past.length;
  row[at + 2] = future.length;
  row[at + 3] = prepared.seasons.period;
  return row.every(Number.isFinite);
};

/** Lengths of context and horizon: half of the contexts at 1000 or more. */
const drawLengths = (random: Random): { length: number; horizon: number } => {
  const length = Math.round(
    random.chance(0.45) ? random.logBetween(1000, 3000) : random.logBetween(12, 1000),
  );
  const kind = drawIndex(random, [0.3, 0.3, 0.22, 0.18]);
  const [low, high] = [
    [1, 16],
    [17, 64],
    [65, 256],
    [257, 900],
  ][kind]!;
  const horizon = Math.max(
    1,
    Math.min(Math.round(random.logBetween(low!, high!)), Math.floor(length * 0.7)),
  );
  return { length, horizon };
};

/** The calendar's season lengths as a user's frequency would bring them: right, of another clock, or none. */
const drawCandidates = (random: Random, periods: readonly number[]): readonly number[] => {
  const kind = drawIndex(random, [0.6, 0.15, 0.25]);
  if (kind === 0) return periods;
  return kind === 1 ? random.pick(CLOCKS).periods : [];
};

/** Draws a synthetic window; `only` keeps to one source. */
export const drawWindow = (random: Random, only?: number): WindowSource => {
  for (;;) {
    const { length, horizon } = drawLengths(random);
    const { values, periods, source } = drawSeries(random, length + horizon, only);
    if (!values.every((value) => Number.isFinite(value) && Math.abs(value) < 1e12)) continue;
    const isBlind = random.chance(0.04);
    return {
      past: values.slice(0, length),
      future: values.slice(length),
      candidates: drawCandidates(random, periods),
      seasons: isBlind ? { period: 1, long: 0 } : undefined,
      source,
    };
  }
};
