/** From series to forecasts and embeddings (chronos2/pipeline.py): options, batches, quantiles. */
import { TollamaError } from '@tollama/core/errors';
import { z } from 'zod';
import type { Outcome, RunGraph, SeriesEmbedding, Task } from '../../family.ts';
import { limitHorizon } from '../../limit-horizon.ts';
import { readOptions } from '../../read-options.ts';
import type { Chronos2Config } from './config.ts';
import { interpolateLevels } from './levels.ts';
import { encodeRows } from './passes.ts';
import { type Plan, rollOut } from './roll-out.ts';
import { type Item, itemsOf, type Row } from './rows.ts';

const Options = z.object({
  /** Points of each series that are read; at most the model's. */
  context_length: z.int().positive().optional(),
  /** All series of a batch look at each other; forecasts then depend on batch_size. */
  cross_learning: z.boolean().default(false),
  /** Rows of a batch, covariates included; a batch closes once it holds at least as many. */
  batch_size: z.int().positive().default(256),
  /** Patches of one pass; longer horizons are rolled out. */
  max_output_patches: z.int().positive().optional(),
  /** Trained levels whose paths a roll-out follows. */
  unrolled_quantiles: z.array(z.number().gt(0).lt(1)).min(1).optional(),
});
type Options = z.infer<typeof Options>;

const UNROLLED = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

const planOf = (c: Chronos2Config, horizon: number, options: Options): Plan => {
  const { quantiles, max_output_patches, output_patch_size } = c.chronos_config;
  const maxPatches = options.max_output_patches ?? max_output_patches;
  const paths = options.unrolled_quantiles ?? UNROLLED;
  const untrained = paths.filter(
    (level) => !quantiles.some((known) => Math.abs(known - level) < 1e-9),
  );
  const isUsed = options.unrolled_quantiles || horizon > maxPatches * output_patch_size;
  if (isUsed && untrained.length > 0) {
    throw new TollamaError(
      'INVALID_REQUEST',
      `option unrolled_quantiles: the model was not trained for ${untrained.join(', ')}`,
      { hint: `give unrolled_quantiles out of ${quantiles.join(', ')}` },
    );
  }
  return { horizon, maxPatches, paths, batchSize: options.batch_size };
};

/** Items in order; a batch closes once its rows reach the size. */
const inBatches = (items: readonly Item[], size: number): Item[][] => {
  const batches: Item[][] = [];
  let rows = size;
  for (const item of items) {
    if (rows >= size) {
      batches.push([]);
      rows = 0;
    }
    batches.at(-1)!.push(item);
    rows += item.rows.length;
  }
  return batches;
};

/** What may share runs: items with equally many rows, those of like length together. */
const bySize = (items: readonly Item[]): Item[][] => {
  const length = (item: Item): number => item.rows[0]?.context.length ?? 0;
  return [...Map.groupBy(items, (item) => item.rows.length).values()].map((alike) =>
    alike.toSorted((a, b) => length(b) - length(a)),
  );
};

const longestOf = (items: readonly Item[]): number =>
  items.reduce((most, { rows }) => Math.max(most, rows[0]?.context.length ?? 0), 1);

/** Quantiles at the trained levels of the targets of each item. */
const predict = async (
  run: RunGraph,
  c: Chronos2Config,
  items: readonly Item[],
  plan: Plan,
  isCrossLearning: boolean,
): Promise<ReadonlyMap<Item, readonly Float32Array[][]>> => {
  const fans = new Map<Item, readonly Float32Array[][]>();
  const { input_patch_size, input_patch_stride } = c.chronos_config;
  const isAligned = input_patch_size === input_patch_stride;
  // Where patches overlap, the longest context of a batch decides where those of the others lie.
  const together = isAligned && !isCrossLearning ? [items] : inBatches(items, plan.batchSize);
  for (const batch of together) {
    const own = isAligned ? plan : { ...plan, shortest: longestOf(batch) };
    for (const alike of isCrossLearning ? [batch] : bySize(batch)) {
      const rows = alike.map((item) => item.rows);
      const all = await rollOut(run, c, isCrossLearning ? [rows.flat()] : rows, own);
      let at = 0;
      for (const item of alike) {
        fans.set(item, all.slice(at, at + item.targets));
        at += item.rows.length;
      }
    }
  }
  return fans;
};

/** The items with their last points only, and what the user should know about it. */
const cut = (items: readonly Item[], c: Chronos2Config, asked: number | undefined) => {
  const own = c.chronos_config.context_length;
  const length = Math.min(asked ?? own, own);
  const rows = (item: Item): Row[] =>
    item.rows.map((row) => ({
      ...row,
      context: row.context.subarray(Math.max(0, row.context.length - length)),
    }));
  const warnings =
    asked !== undefined && asked > own
      ? [`context_length ${asked} is more than the model reads; ${own} is used`]
      : [];
  return { items: items.map((item): Item => ({ ...item, rows: rows(item) })), warnings };
};

export const forecast = async (run: RunGraph, c: Chronos2Config, task: Task): Promise<Outcome> => {
  const { series, horizon, quantiles } = task;
  const { max_output_patches, output_patch_size } = c.chronos_config;
  limitHorizon(task, max_output_patches * output_patch_size, 'chronos-2');
  const options = readOptions(Options, task, 'chronos-2');
  const plan = planOf(c, horizon, options);
  const { items, warnings } = cut(itemsOf(series, horizon), c, options.context_length);
  const fans = await predict(run, c, items, plan, options.cross_learning);
  const { quantiles: trained } = c.chronos_config;
  const forecasts = items.map((item) => ({
    targets: fans.get(item)!.map((fan) => ({
      mean: interpolateLevels(fan, trained, [0.5])[0]!,
      quantiles: interpolateLevels(fan, trained, quantiles),
    })),
  }));
  return { forecasts, warnings };
};

/** States of context patches, REG and one unknown future patch, of the targets of each series. */
export const embed = async (
  run: RunGraph,
  c: Chronos2Config,
  task: Pick<Task, 'series' | 'options'>,
): Promise<readonly SeriesEmbedding[]> => {
  const options = readOptions(Options, task, 'chronos-2');
  const pasts = task.series.map(({ futureCovariates, ...past }) => past);
  const { items } = cut(itemsOf(pasts, 0), c, options.context_length);
  const embeddings: SeriesEmbedding[] = [];
  for (const batch of inBatches(items, options.batch_size)) {
    const rows = batch.flatMap((item) => item.rows);
    const ids = batch.flatMap((item, id) => item.rows.map(() => id));
    const { states, loc, scale } = await encodeRows(run, c, rows, ids, 1);
    const [, tokens, width] = states.dims as readonly [number, number, number];
    let at = 0;
    for (const { rows: own, targets } of batch) {
      const data = (states.data as Float32Array).slice(
        at * tokens * width,
        (at + targets) * tokens * width,
      );
      embeddings.push({
        states: { dtype: 'float32', dims: [targets, tokens, width], data },
        loc: loc.slice(at, at + targets),
        scale: scale.slice(at, at + targets),
      });
      at += own.length;
    }
  }
  return embeddings;
};
