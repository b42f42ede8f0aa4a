/**
 * Toto 2.0's forecast (toto2, model.py, `forecast`): one pass over context and horizon, or block by block,
 * where each pass but the first reads the medians of the one before and remembers keys and values of all
 * that came earlier.
 */
import type { TensorValue } from '@tollama/graph';
import type { ModelSeries, Outcome, RunGraph, SeriesForecast, Task } from '../../family.ts';
import { variatesKey } from '../../joined-variates.ts';
import { interpolatedQuantiles } from '../../quantiles.ts';
import { type Config, isVariateLayer, LEVELS } from './config.ts';
import { type ForecastOptions, optionsOf } from './options.ts';
import { type Panel, panelOf } from './panel.ts';
import { type PatchStatistics, patchStatistics } from './patch-scaler.ts';
import { type Bounds, boundsOf, realQuantiles } from './real-quantiles.ts';

const MEDIAN = 4;
const UNOBSERVED = -1n;

type Feeds = Record<string, TensorValue>;

/** What one pass reads: patches [start, start + known) that are known, and `future` ones after them. */
interface Pass {
  readonly start: number;
  readonly known: number;
  readonly future: number;
}

const isObservedPatch = (observed: Uint8Array, patch: number, size: number): boolean =>
  observed.subarray(patch * size, (patch + 1) * size).includes(1);

/** Group id of each patch of a context row, -1 where nothing is observed. */
const patchGroups = (panel: Panel, row: number, size: number): bigint[] =>
  Array.from({ length: panel.context }, (_, patch) =>
    isObservedPatch(panel.observed[row]!, patch, size) ? BigInt(panel.groups[row]!) : UNOBSERVED,
  );

/** Standardised values and marks of missing ones, both [b, v, count, P]. */
const patchesOf = (
  panel: Panel,
  statistics: readonly PatchStatistics[],
  start: number,
  count: number,
  size: number,
): readonly [TensorValue, TensorValue] => {
  const width = count * size;
  const values = new Float32Array(panel.values.length * width);
  const missing = new Float32Array(values.length).fill(1);
  panel.values.forEach((row, r) => {
    const { loc, scale } = statistics[r]!;
    for (let i = 0; i < width; i++) {
      const step = start * size + i;
      if (!panel.observed[r]![step]) continue;
      const patch = start + Math.floor(i / size);
      values[r * width + i] = Math.fround(row[step]! - loc[patch]!) / scale[patch]!;
      missing[r * width + i] = 0;
    }
  });
  const dims = [panel.batch, panel.variates, count, size];
  return [
    { dtype: 'float32', dims, data: values },
    { dtype: 'float32', dims, data: missing },
  ];
};

/** Ids [b, v, length] from a function of row and place. */
const idsOf = (
  panel: Panel,
  length: number,
  idAt: (row: number, place: number) => bigint,
): TensorValue => {
  const data = new BigInt64Array(panel.values.length * length);
  for (let i = 0; i < data.length; i++) data[i] = idAt(Math.floor(i / length), i % length);
  return { dtype: 'int64', dims: [panel.batch, panel.variates, length], data };
};

/**
 * Who may look at whom. In time, patches without an observation are apart: for the first pass unless the
 * options say that there are none, for later ones always. Across variates, later passes take the groups of
 * the first places of the context, as the reference does, whatever their own places are.
 */
const groupFeeds = (
  panel: Panel,
  groups: readonly (readonly bigint[])[],
  { start, known, future }: Pass,
  options: ForecastOptions,
): Feeds => {
  const isFirst = start === 0;
  const areApart = !isFirst || options.has_missing_values;
  const timeGroup = (row: number, place: number): bigint =>
    areApart && groups[row]![place] === UNOBSERVED ? UNOBSERVED : 0n;
  return {
    past_groups: idsOf(panel, start, timeGroup),
    time_groups: idsOf(panel, known + future, (row, place) => timeGroup(row, start + place)),
    variate_groups: idsOf(
      panel,
      known + future,
      (row, place) => groups[row]![place] ?? BigInt(panel.groups[row]!),
    ),
  };
};

const emptyMemory = (panel: Panel, c: Config): Feeds => {
  const memory: Feeds = {};
  const empty = (width: number): TensorValue => ({
    dtype: 'float32',
    dims: [panel.values.length, 0, c.num_groups * width],
    data: new Float32Array(0),
  });
  let layer = 0;
  for (let i = 0; i < c.num_layers; i++) {
    if (isVariateLayer(i, c)) continue;
    memory[`past_key_${layer}`] = empty(c.qk_dim);
    memory[`past_value_${layer}`] = empty(c.v_dim);
    layer++;
  }
  return memory;
};

/** Medians become observed values of the panel, from which the next pass goes on. */
const feedBack = (
  panel: Panel,
  fans: readonly Float32Array[],
  start: number,
  count: number,
  size: number,
): void => {
  const contextEnd = panel.context * size;
  const total = panel.horizon * size;
  for (let r = 0; r < panel.values.length; r++) {
    if (r % panel.variates >= panel.forecasted) continue;
    const from = MEDIAN * total + start * size - contextEnd;
    panel.values[r]!.set(fans[r]!.subarray(from, from + count * size), start * size);
    panel.observed[r]!.fill(1, start * size, (start + count) * size);
  }
};

/** Known patches of a later pass hold medians, and whatever else they hold counts as observed too. */
const nothingMissing = (value: TensorValue): TensorValue => ({
  ...value,
  data: new Float32Array(value.data.length),
});

export const statisticsOf = (panel: Panel, c: Config, o: ForecastOptions): PatchStatistics[] =>
  panel.values.map((row, r) =>
    patchStatistics(row, panel.observed[r]!, c.patch_size, o.scaler_fallback_min_obs),
  );

/** What a pass over the whole horizon is fed. */
export const passFeeds = (
  panel: Panel,
  statistics: readonly PatchStatistics[],
  c: Config,
  options: ForecastOptions,
): Feeds => {
  const { patch_size: size } = c;
  const groups = panel.values.map((_, row) => patchGroups(panel, row, size));
  const { context, horizon } = panel;
  const [known, missing] = patchesOf(panel, statistics, 0, context, size);
  const [ahead, unknown] = patchesOf(panel, statistics, context, horizon, size);
  return {
    known_values: known,
    known_missing: missing,
    future_values: ahead,
    future_missing: unknown,
    ...groupFeeds(panel, groups, { start: 0, known: context, future: horizon }, options),
    ...emptyMemory(panel, c),
  };
};

/**
 * Quantiles of all rows of the panel, each [9][horizon patches * P]. The panel's horizon is overwritten.
 */
const decode = async (
  run: RunGraph,
  c: Config,
  panel: Panel,
  options: ForecastOptions,
): Promise<readonly Float32Array[]> => {
  const { patch_size: size } = c;
  const { block } = options;
  const groups = panel.values.map((_, row) => patchGroups(panel, row, size));
  const fans = panel.values.map(() => new Float32Array(LEVELS.length * panel.horizon * size));
  let memory = emptyMemory(panel, c);
  let bounds: readonly Bounds[] | undefined;
  for (let done = 0; done < panel.horizon; ) {
    const future = Math.min(block, panel.horizon - done);
    const end = panel.context + done;
    const start = done === 0 ? 0 : end - block;
    const pass: Pass = { start, known: end - start, future };
    const statistics = statisticsOf(panel, c, options);
    bounds ??= boundsOf(panel, statistics, size, options.quantile_real_cap_k);
    const [known, missing] = patchesOf(panel, statistics, start, pass.known, size);
    const [ahead, unknown] = patchesOf(panel, statistics, end, future, size);
    const feeds = {
      known_values: known,
      known_missing: done === 0 ? missing : nothingMissing(missing),
      future_values: ahead,
      future_missing: unknown,
      ...groupFeeds(panel, groups, pass, options),
      ...memory,
    };
    const isLast = done + future >= panel.horizon;
    const results = await run('forward', feeds, isLast ? ['quantiles'] : undefined);
    realQuantiles(results.quantiles!, statistics, bounds, { first: end, done, size, fans });
    if (!isLast) {
      feedBack(panel, fans, end, future, size);
      memory = remembered(memory, results);
    }
    done += future;
  }
  return fans;
};

const remembered = (memory: Feeds, results: Readonly<Feeds>): Feeds =>
  Object.fromEntries(
    Object.keys(memory).map((name) => [name, results[name.replace('past', 'next')]!]),
  );

/**
 * Series that can share a run without a change of their forecasts: those of one number of variates, and of
 * one number of patches where padding would be seen.
 */
const batchesOf = (
  series: readonly ModelSeries[],
  c: Config,
  options: ForecastOptions,
  horizon: number,
): number[][] => {
  const isPaddingSeen =
    !options.has_missing_values || options.block < Math.ceil(horizon / c.patch_size);
  const keyOf = (i: number): string => {
    const patches = Math.ceil(series[i]!.targets[0]!.length / c.patch_size);
    return `${variatesKey(series[i]!)} ${isPaddingSeen ? patches : ''}`;
  };
  return [...Map.groupBy(series.keys(), keyOf).values()];
};

const targetForecast = (fan: Float32Array, total: number, task: Task) => {
  const rows = LEVELS.map((_, q) => fan.subarray(q * total, q * total + task.horizon));
  return {
    mean: rows[MEDIAN]!.slice(),
    quantiles: interpolatedQuantiles(rows, LEVELS, task.quantiles),
  };
};

/** From series to quantiles; the mean is the median, for the model gives no other. */
export const forecast = async (run: RunGraph, c: Config, task: Task): Promise<Outcome> => {
  const options = optionsOf(task, c.patch_size);
  const forecasts: SeriesForecast[] = [];
  for (const indices of batchesOf(task.series, c, options, task.horizon)) {
    const series = indices.map((i) => task.series[i]!);
    const panel = panelOf(series, indices, task.horizon, c, options);
    const fans = await decode(run, c, panel, options);
    indices.forEach((index, b) => {
      const targets = task.series[index]!.targets.map((_, v) =>
        targetForecast(fans[b * panel.variates + v]!, panel.horizon * c.patch_size, task),
      );
      forecasts[index] = { targets };
    });
  }
  return { forecasts, warnings: [] };
};
