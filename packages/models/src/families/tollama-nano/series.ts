/** From series to rows and back: gaps, constants and horizons of any length; the network runs in pieces. */
import { candidateSeasons } from '@tollama/core/frequency';
import type {
  ModelSeries,
  Outcome,
  RunGraph,
  SeriesForecast,
  TargetForecast,
  Task,
} from '../../family.ts';
import { quantilesWithTails } from '../../quantiles.ts';
import { observe } from '../../statistical/history.ts';
import { ANCHORS } from './anchors.ts';
import { LEVELS } from './network.ts';
import { CONTEXT_FEATURES, type PreparedSeries, prepareSeries, STEP_FEATURES } from './prepare.ts';

/** Steps that one run of the network takes, over all its series: bounds the memory of activations. */
const MOST_STEPS = 4096;
const COUNT = LEVELS.length;

export interface Asked {
  /** Undefined where nothing is to be forecast: no value, or one value throughout. */
  readonly prepared: PreparedSeries | undefined;
  readonly constant: number;
  /** Missing values after the last observed one, which are forecast first. */
  readonly trailing: number;
  readonly steps: Int32Array;
}

/** A series as the anchors take it: without gaps; what is missing at its end is forecast first. */
export const askSeries = (
  series: Pick<ModelSeries, 'id' | 'targets' | 'freq'>,
  horizon: number,
  warnings: string[],
): Asked => {
  const { values, trailing, filled } = observe(series.targets[0]!);
  const steps = Int32Array.from({ length: horizon }, (_, i) => trailing + i + 1);
  if (filled > 0 || trailing > 0) {
    warnings.push(
      `series '${series.id}': ${filled + trailing} missing values were interpolated or forecast first`,
    );
  }
  if (values.length === 0) {
    warnings.push(`series '${series.id}': no value is observed; the forecast is 0 throughout`);
  }
  const first = values[0] ?? 0;
  if (values.every((value) => value === first)) {
    return { prepared: undefined, constant: first, trailing, steps };
  }
  const candidates = candidateSeasons(series.freq);
  const prepared = prepareSeries(values, { horizon: trailing + horizon, candidates });
  return { prepared, constant: first, trailing, steps };
};

/** Quantiles of the network, ascending in level, in the units of the series: [levels][steps]. */
const toRaw = (
  outputs: Float32Array,
  centers: Float64Array,
  scales: Float64Array,
  { scale, shift, isNonNegative }: PreparedSeries,
): Float64Array[] => {
  const rows = LEVELS.map(() => new Float64Array(centers.length));
  for (let k = 0; k < centers.length; k++) {
    const sorted = outputs.slice(k * COUNT, (k + 1) * COUNT).sort();
    for (let q = 0; q < COUNT; q++) {
      const raw = (centers[k]! + scales[k]! * sorted[q]!) * scale + shift;
      const bounded = Math.min(Number.MAX_VALUE, Math.max(-Number.MAX_VALUE, raw));
      rows[q]![k] = isNonNegative ? Math.max(0, bounded) : bounded;
    }
  }
  return rows;
};

const runRows = async (
  run: RunGraph,
  prepared: PreparedSeries,
  steps: Int32Array,
): Promise<Float64Array[]> => {
  const { features, deviations, centers, scales } = prepared.rows(steps);
  const outputs = new Float32Array(steps.length * COUNT);
  for (let from = 0; from < steps.length; from += MOST_STEPS) {
    const count = Math.min(MOST_STEPS, steps.length - from);
    const part = (data: Float32Array, width: number) => ({
      dtype: 'float32' as const,
      dims: [1, count, width],
      data: data.subarray(from * width, (from + count) * width),
    });
    const { quantiles } = await run('forward', {
      context: { dtype: 'float32', dims: [1, CONTEXT_FEATURES], data: prepared.context },
      features: part(features, STEP_FEATURES),
      deviations: part(deviations, ANCHORS.length),
    });
    outputs.set(quantiles!.data as Float32Array, from * COUNT);
  }
  return toRaw(outputs, centers, scales, prepared);
};

/** Nine equally likely middles: their mean is that of the distribution but for its tails. */
const meanOf = (rows: readonly Float64Array[]): Float64Array =>
  rows[0]!.map((_, k) => rows.reduce((sum, row) => sum + row[k]!, 0) / rows.length);

const targetForecast = (
  rows: readonly Float64Array[],
  asked: readonly number[],
): TargetForecast => {
  const exact = asked.map((level) => LEVELS.findIndex((known) => Math.abs(known - level) < 1e-9));
  const quantiles = exact.every((place) => place >= 0)
    ? exact.map((place) => rows[place]!)
    : quantilesWithTails(rows, LEVELS, asked);
  return { mean: meanOf(rows), quantiles };
};

/** Forecasts of a task. */
export const forecastSeries = async (run: RunGraph, task: Task): Promise<Outcome> => {
  const warnings: string[] = [];
  const forecasts: SeriesForecast[] = [];
  for (const series of task.series) {
    const { prepared, constant, steps } = askSeries(series, task.horizon, warnings);
    const rows = prepared
      ? await runRows(run, prepared, steps)
      : LEVELS.map(() => new Float64Array(task.horizon).fill(constant));
    const explanation = prepared
      ? { seasons: [prepared.seasons.period, prepared.seasons.long].filter((length) => length > 1) }
      : {};
    forecasts.push({ targets: [targetForecast(rows, task.quantiles)], explanation });
  }
  return { forecasts, warnings };
};
