/**
 * Paths of the future: each step's distribution is the model's, and neighbouring steps hang together by a Gaussian
 * copula whose correlation is that of the model's own errors over the history.
 */

import { calibrationRows } from '../columnar/intervals.ts';
import type { ModelCalls } from '../columnar/model-calls.ts';
import { normalQuantile } from '../columnar/normal.ts';
import type { CalibrationRow } from '../conformal/calibrate.ts';
import { normalFrom, uniformFrom } from '../generate/random.ts';
import { lastWindows, tokens } from './forecast.ts';
import { type Panel, refuseBody } from './panel.ts';
import { MOST_SIMULATED, type SimulateBody } from './requests.ts';
import { forecastWindows, type WindowRows } from './windows.ts';

const LEVELS = Array.from({ length: 19 }, (_, i) => (i + 1) / 20);

/** Errors of neighbouring steps of one origin: their correlation, from 0 to below 1. */
export const neighbourCorrelation = (rows: readonly CalibrationRow[]): number => {
  let product = 0;
  let square = 0;
  for (const { actual, predicted } of rows) {
    for (let step = 1; step < actual.length; step++) {
      const error = actual[step]! - predicted[step]!;
      const before = actual[step - 1]! - predicted[step - 1]!;
      if (Number.isNaN(error) || Number.isNaN(before)) continue;
      product += error * before;
      square += (error * error + before * before) / 2;
    }
  }
  return square > 0 ? Math.min(0.98, Math.max(0, product / square)) : 0;
};

/** The value of a step at a normal score: between levels straight in the score, beyond them on along the same line. */
const valueAt = (score: number, scores: readonly number[], values: readonly number[]): number => {
  const after = scores.findIndex((known) => known >= score);
  const right = after < 0 ? scores.length - 1 : Math.max(1, after);
  const share = (score - scores[right - 1]!) / (scores[right]! - scores[right - 1]!);
  return values[right - 1]! + share * (values[right]! - values[right - 1]!);
};

const mixedSeed = (seed: number, series: number): number =>
  (Math.abs(seed) + series * 0x9e3779b1) % 2 ** 32;

interface Distribution {
  readonly row: WindowRows;
  readonly correlation: number;
  readonly normal: () => number;
}

const drawPath = (
  { row, correlation, normal }: Distribution,
  scores: readonly number[],
  columns: readonly (readonly number[])[],
): number[] => {
  const fresh = Math.sqrt(1 - correlation * correlation);
  let score = 0;
  return row.mean.map((_, step) => {
    score = step === 0 ? normal() : correlation * score + fresh * normal();
    return valueAt(score, scores, columns[step]!);
  });
};

/** Samples [path][series][h], flat. */
export const simulate = async (body: SimulateBody, panel: Panel, calls: ModelCalls) => {
  const { h, n_paths, seed } = body;
  const levels = body.quantiles ?? LEVELS;
  const count = panel.sizes.length;
  const size = count * h * (n_paths + levels.length);
  if (size > MOST_SIMULATED) {
    refuseBody(['n_paths'], `${size} values are too many: at most ${MOST_SIMULATED} at once`);
  }
  const windows = lastWindows(panel);
  const rows = await forecastWindows(panel, windows, calls, {
    horizon: h,
    levels,
    isMultivariate: body.multivariate ?? false,
    isCleanedFirst: body.clean_ex_first ?? true,
  });
  const histories = windows.map(({ series, origin }) => {
    const end = panel.offsets[series]! + origin;
    return { target: panel.values.subarray(end - Math.min(origin, calls.context), end) };
  });
  const errors = await calibrationRows(calls, histories, h);
  const used = seed ?? Math.floor(Math.random() * 2 ** 32);
  const scores = levels.map(normalQuantile);
  const draws = rows.map((row, series) => {
    const columns = row.mean.map((_, step) => row.quantiles.map((quantile) => quantile[step]!));
    const normal = normalFrom(uniformFrom(mixedSeed(used, series)));
    const distribution = { row, normal, correlation: neighbourCorrelation(errors[series]!) };
    return () => drawPath(distribution, scores, columns);
  });
  const samples: number[] = [];
  for (let path = 0; path < n_paths; path++) for (const draw of draws) samples.push(...draw());
  return {
    samples,
    sizes: panel.sizes.map(() => h),
    n_paths,
    h,
    // Paths of several series are drawn apart from each other.
    coupled: false,
    ...tokens(panel.values.length, samples.length),
  };
};
