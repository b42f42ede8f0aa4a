/** Around Toto 1.0's roll-out: from series to rows, batches and draws, and to what is told of the paths. */
import { TollamaError } from '@tollama/core/errors';
import { z } from 'zod';
import type { ModelSeries, Outcome, RunGraph, SeriesForecast, Task } from '../../family.ts';
import { impute } from '../../impute.ts';
import { joinedVariates, variatesKey } from '../../joined-variates.ts';
import { SampleCount } from '../../option-limits.ts';
import { randomSources } from '../../random/random-source.ts';
import { readOptions } from '../../read-options.ts';
import { meanOfPaths, quantilesOfPaths } from '../../sample-paths.ts';
import { groupsOf, VariateGroups } from '../../variate-groups.ts';
import { CONTEXT_LENGTH, type Config } from './config.ts';
import { drawMixture, mixtureMean } from './mixture.ts';
import { type Row, rollOut } from './roll-out.ts';

/** Sample paths where quantiles are asked for. */
const SAMPLES = 256;
/** Chains of one run: the unembedding of a chain's patch takes much memory. */
const CHAINS_PER_RUN = 512;

const Options = z.object({
  /** Sample paths; without any, the mean of each patch is fed back, and there are no quantiles. */
  num_samples: SampleCount.nullish(),
  /** Paths of one run for each series. */
  samples_per_batch: z.int().positive().optional(),
  /** Whether runs remember keys and values, with the positions of the run that made them. */
  use_kv_cache: z.boolean().default(true),
  /** Equal seeds give equal paths of a series, whatever it is batched with. */
  seed: z.int().default(0),
  /** What is read where a value is missing; the statistics leave it out anyhow. */
  imputation: z.enum(['none', 'ffill', 'linear']).default('none'),
  /** Points of history to read. */
  context_length: z.int().positive().default(CONTEXT_LENGTH),
  /** Variates of equal ids look at each other: a list for all series, or one for each. */
  id_mask: VariateGroups.optional(),
});
type Options = z.infer<typeof Options>;

/** The reference would read infinity, and forecast 0. */
const checkRange = (id: string, values: Float32Array): void => {
  if (!values.some((value) => Math.abs(value) === Number.POSITIVE_INFINITY)) return;
  throw new TollamaError(
    'INVALID_INPUT',
    `series '${id}' has a value that is too large for toto: beyond 3.4e38 in size`,
    { hint: 'rescale the series' },
  );
};

/** The rows of a series: zeros on the left fill the first patch, and are read as values. */
export const rowsOf = (
  series: ModelSeries,
  index: number,
  horizon: number,
  c: Config,
  {
    imputation,
    context_length,
    id_mask,
  }: Pick<Options, 'imputation' | 'context_length' | 'id_mask'>,
): readonly Row[] => {
  const { patch_size: size } = c;
  const variates = joinedVariates(series);
  const { id, targets } = series;
  const groups = groupsOf(id_mask, 'id_mask', {
    id,
    index,
    targets: targets.length,
    variates: variates.length,
  });
  return variates.map(({ kind, history, future }, v) => {
    const kept = history.slice(-context_length);
    checkRange(id, kept);
    checkRange(id, future);
    const known = impute(kept, imputation);
    const length = Math.max(1, Math.ceil(kept.length / size)) * size;
    const context = new Float32Array(length);
    const observed = new Uint8Array(length);
    context.set(kept, length - kept.length);
    observed.set(known, length - kept.length);
    const row = { context, observed, group: groups[v]!, isCovariate: kind === 'known' };
    if (kind !== 'known') return row;
    const ahead = new Float32Array(Math.ceil(horizon / size) * size);
    const values = future.slice();
    impute(values, 'none');
    ahead.set(values.subarray(0, ahead.length));
    return { ...row, future: ahead };
  });
};

/** Sample paths [rows][samples][patches * P], a few chains of all rows at a time. */
const samplePaths = async (
  run: RunGraph,
  c: Config,
  rows: readonly Row[],
  shape: { readonly variates: number; readonly patches: number; readonly samples: number },
  options: Options,
): Promise<readonly (readonly Float32Array[])[]> => {
  const { samples } = shape;
  const sources = rows.map(({ context }, r) =>
    randomSources(options.seed + (r % shape.variates), context, samples),
  );
  const atOnce = options.samples_per_batch ?? Math.floor(CHAINS_PER_RUN / rows.length);
  const paths = rows.map((): Float32Array[] => []);
  for (let done = 0; done < samples; done += Math.max(atOnce, 1)) {
    const chains = Math.min(Math.max(atOnce, 1), samples - done);
    const drawn = await rollOut(run, c, {
      ...shape,
      rows,
      chains,
      useCache: options.use_kv_cache,
      next: (mixture, row, chain) => drawMixture(mixture, sources[row]![done + chain]!),
    });
    drawn.forEach((own, r) => void paths[r]!.push(...own));
  }
  return paths;
};

const missingWarnings = (series: readonly ModelSeries[], { imputation }: Options): string[] => {
  if (imputation !== 'none') return [];
  return series.flatMap(({ id, targets }) => {
    const missing = targets.flatMap((target) => Array.from(target)).filter(Number.isNaN).length;
    return missing === 0
      ? []
      : [
          `series '${id}': ${missing} missing values are read as 0, as toto's reference does; imputation: 'ffill' or 'linear' fills them`,
        ];
  });
};

/** Forecasts of the rows of some series, as [rows][paths]; one path is the mean. */
const pathsOf = async (
  run: RunGraph,
  c: Config,
  rows: readonly Row[],
  shape: { readonly variates: number; readonly patches: number; readonly samples: number },
  options: Options,
): Promise<readonly (readonly Float32Array[])[]> => {
  if (shape.samples > 0) return samplePaths(run, c, rows, shape, options);
  const useCache = options.use_kv_cache;
  return rollOut(run, c, { ...shape, rows, chains: 1, useCache, next: mixtureMean });
};

/**
 * The mean of mixtures fed back where no quantiles are asked for; else sample paths, their mean and their
 * empirical quantiles. Series are batched with those of as many patches alone, for padding is read as values.
 */
export const forecast = async (run: RunGraph, c: Config, task: Task): Promise<Outcome> => {
  const options = readOptions(Options, task, 'toto');
  const { horizon, quantiles } = task;
  const samples = options.num_samples ?? (quantiles.length > 0 ? SAMPLES : 0);
  const patches = Math.ceil(horizon / c.patch_size);
  const rows = task.series.map((series, i) => rowsOf(series, i, horizon, c, options));
  const keyOf = (i: number): string =>
    `${variatesKey(task.series[i]!)} ${rows[i]![0]!.context.length}`;
  const forecasts: SeriesForecast[] = [];
  for (const indices of Map.groupBy(task.series.keys(), keyOf).values()) {
    const batch = indices.flatMap((i) => rows[i]!);
    const variates = rows[indices[0]!]!.length;
    const paths = await pathsOf(run, c, batch, { variates, patches, samples }, options);
    indices.forEach((index, b) => {
      const targets = task.series[index]!.targets.map((_, v) => {
        const own = paths[b * variates + v]!.map((path) => path.slice(0, horizon));
        const mean = samples > 0 ? meanOfPaths(own) : own[0]!;
        if (samples === 0) return { mean, quantiles: [] };
        return { mean, quantiles: quantilesOfPaths(own, quantiles), samples: own };
      });
      forecasts[index] = { targets };
    });
  }
  return { forecasts, warnings: missingWarnings(task.series, options) };
};
