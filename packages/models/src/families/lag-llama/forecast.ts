/** Around Lag-Llama's roll-out: windows, draws, and what is told of the paths. */
import { TollamaError } from '@tollama/core/errors';
import { z } from 'zod';
import type { ModelSeries, Outcome, RunGraph, Task } from '../../family.ts';
import { SampleCount } from '../../option-limits.ts';
import { type RandomSource, randomSources } from '../../random/random-source.ts';
import { readOptions } from '../../read-options.ts';
import { meanOfPaths, nearestQuantilesOfPaths } from '../../sample-paths.ts';
import { type Config, farthestLag } from './config.ts';
import { headOf, type NextValue } from './heads.ts';
import { type Row, rollOut } from './roll-out.ts';
import { calendarOf } from './time-features.ts';

/** Tokens of one run that reads them all; what a layer makes of more of them falls out of the nearer caches. */
const TOKENS_PER_RUN = 2200;
/** Tokens that the paths of one run remember, of which each step reads the newest. */
const REMEMBERED_TOKENS = 32_768;

const optionsFor = (c: Config) =>
  z.object({
    /** Sample paths of each series. */
    num_samples: SampleCount.default(c.model_kwargs.num_parallel_samples),
    /** Points of history that become tokens; the lags reach further back. */
    context_length: z.int().positive().max(TOKENS_PER_RUN).default(c.context_length),
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

const draw = (value: NextValue, source: RandomSource, c: Config, o: Options): number => {
  const drawn = headOf(c).draw(value, source);
  return o.nonnegative_pred_samples ? Math.max(drawn, 0) : drawn;
};

/** How many paths are followed at a time; one at least. */
const pathsPerRun = (horizon: number, { context_length, use_kv_cache }: Options): number => {
  const tokens = use_kv_cache ? REMEMBERED_TOKENS : TOKENS_PER_RUN;
  return Math.max(1, Math.floor(tokens / (context_length + horizon)));
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
  const atOnce = Math.max(1, Math.floor(pathsPerRun(horizon, o) / rows.length));
  const found = rows.map((): Float32Array[] => []);
  for (let done = 0; done < samples; done += atOnce) {
    const paths = Math.min(atOnce, samples - done);
    const next = (value: NextValue, row: number, path: number): number =>
      draw(value, sources[row]![done + path]!, c, o);
    const level = (row: number, path: number): number => sources[row]![done + path]!.uniform();
    const drawn = await rollOut(run, c, { rows, paths, horizon, useCache, level, next });
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
  const head = headOf(c);
  if (head.isImplicit) {
    throw new TollamaError(
      'INVALID_REQUEST',
      'options.use_single_pass_sampling = true follows means, which the head of this checkpoint (iqn) does not tell',
      { hint: 'leave use_single_pass_sampling out' },
    );
  }
  const sources = rows.map(({ window }) => randomSources(seed, window, samples));
  const found = rows.map(() => Array.from({ length: samples }, () => new Float32Array(horizon)));
  const next = (value: NextValue, row: number, _: number, step: number): number => {
    found[row]!.forEach((path, s) => {
      path[step] = draw(value, sources[row]![s]!, c, o);
    });
    return head.mean(value);
  };
  await rollOut(run, c, { rows, paths: 1, horizon, useCache, level: () => 0.5, next });
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
  const perRun = pathsPerRun(horizon, options);
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
