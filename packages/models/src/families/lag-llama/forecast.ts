/** Around Lag-Llama's roll-out: windows, draws, and what is told of the paths. */
import { z } from 'zod';
import type { ModelSeries, Outcome, RunGraph, Task } from '../../family.ts';
import { drawStudentT } from '../../probability/student-t.ts';
import { type RandomSource, randomSources } from '../../random/random-source.ts';
import { readOptions } from '../../read-options.ts';
import { meanOfPaths, nearestQuantilesOfPaths } from '../../sample-paths.ts';
import { type Config, farthestLag } from './config.ts';
import { type NextValue, type Row, rollOut } from './roll-out.ts';
import { calendarOf } from './time-features.ts';

/** Tokens of one run; more would hold much memory and be no faster. */
const TOKENS_PER_RUN = 32_768;

const optionsFor = (c: Config) =>
  z.object({
    /** Sample paths of each series. */
    num_samples: z.int().positive().default(c.model_kwargs.num_parallel_samples),
    /** Points of history that become tokens; the lags reach further back. */
    context_length: z.int().positive().default(c.context_length),
    /** Whether later steps read the newest token alone, with what was remembered of the others. */
    use_kv_cache: z.boolean().default(false),
    /** Whether one path of means is followed, from whose distributions all samples are drawn. */
    use_single_pass_sampling: z.boolean().default(false),
    /** Whether draws below zero become zero. */
    nonnegative_pred_samples: z.boolean().default(false),
    /** Equal seeds give equal paths of a series, whatever it is batched with. */
    seed: z.int().default(0),
  });
type Options = z.infer<ReturnType<typeof optionsFor>>;

/** The window that a series is forecast from. */
export const rowOf = (
  { targets, start, freq }: ModelSeries,
  contextLength: number,
  c: Config,
): Row => {
  const length = contextLength + farthestLag(c);
  const target = Float32Array.from(targets[0]!);
  const kept = target.subarray(Math.max(0, target.length - length));
  const window = new Float32Array(length);
  window.set(
    kept.map((value) => (Number.isNaN(value) ? 0 : value)),
    length - kept.length,
  );
  return {
    window,
    known: kept.filter((value) => !Number.isNaN(value)),
    calendar: calendarOf(start, freq),
    firstPeriod: target.length - contextLength,
  };
};

/** The mean of the next value. */
export const meanOf = ({ loc, affine }: NextValue): number => loc * affine.scale + affine.loc;

const draw = ({ df, loc, scale, affine }: NextValue, source: RandomSource, o: Options): number => {
  const value = (loc + scale * drawStudentT(df, source)) * affine.scale + affine.loc;
  return o.nonnegative_pred_samples ? Math.max(value, 0) : value;
};

/** Paths that each draw and read their own values, as many of them at a time as a run holds. */
const ownPaths = async (
  run: RunGraph,
  c: Config,
  rows: readonly Row[],
  horizon: number,
  o: Options,
) => {
  const { num_samples: samples, seed, use_kv_cache: useCache } = o;
  const sources = rows.map(({ window }) => randomSources(seed, window, samples));
  const tokens = o.context_length + horizon;
  const atOnce = Math.max(1, Math.floor(TOKENS_PER_RUN / tokens / rows.length));
  const found = rows.map((): Float32Array[] => []);
  for (let done = 0; done < samples; done += atOnce) {
    const paths = Math.min(atOnce, samples - done);
    const next = (value: NextValue, row: number, path: number): number =>
      draw(value, sources[row]![done + path]!, o);
    const drawn = await rollOut(run, c, { rows, paths, horizon, useCache, next });
    drawn.forEach((own, r) => void found[r]!.push(...own));
  }
  return found;
};

/** Paths of draws from the distributions along one path of means. */
const meanPaths = async (
  run: RunGraph,
  c: Config,
  rows: readonly Row[],
  horizon: number,
  o: Options,
) => {
  const { num_samples: samples, seed, use_kv_cache: useCache } = o;
  const sources = rows.map(({ window }) => randomSources(seed, window, samples));
  const found = rows.map(() => Array.from({ length: samples }, () => new Float32Array(horizon)));
  const next = (value: NextValue, row: number, _: number, step: number): number => {
    found[row]!.forEach((path, s) => {
      path[step] = draw(value, sources[row]![s]!, o);
    });
    return meanOf(value);
  };
  await rollOut(run, c, { rows, paths: 1, horizon, useCache, next });
  return found;
};

const calendarWarnings = (
  series: readonly ModelSeries[],
  rows: readonly Row[],
  c: Config,
): string[] =>
  c.model_kwargs.time_feat
    ? series
        .filter((_, i) => !rows[i]!.calendar)
        .map(
          ({ id, freq }) =>
            `series '${id}': lag-llama knows no calendar of freq '${freq ?? 'none'}', so the time features are 0`,
        )
    : [];

/** Sample paths of each series, with their mean and the quantiles that GluonTS takes of them. */
export const forecast = async (run: RunGraph, c: Config, task: Task): Promise<Outcome> => {
  const options = readOptions(optionsFor(c), task, 'lag-llama');
  const { horizon, quantiles, series } = task;
  const rows = series.map((one) => rowOf(one, options.context_length, c));
  const follow = options.use_single_pass_sampling ? meanPaths : ownPaths;
  const perRun = Math.max(1, Math.floor(TOKENS_PER_RUN / (options.context_length + horizon)));
  const paths: Float32Array[][] = [];
  for (let from = 0; from < rows.length; from += perRun) {
    paths.push(...(await follow(run, c, rows.slice(from, from + perRun), horizon, options)));
  }
  const forecasts = paths.map((samples) => ({
    targets: [
      {
        mean: meanOfPaths(samples),
        quantiles: nearestQuantilesOfPaths(samples, quantiles),
        samples,
      },
    ],
  }));
  return { forecasts, warnings: calendarWarnings(series, rows, c) };
};
