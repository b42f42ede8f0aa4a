/** From series to quantiles (chronos_bolt.py): padding, roll-out, levels. */
import type { TensorValue } from '@tollama/graph';
import type { Outcome, RunGraph, Task } from '../../family.ts';
import { limitHorizon } from '../../limit-horizon.ts';
import { interpolatedQuantiles, linearQuantile } from '../../quantiles.ts';
import type { Config } from './config.ts';

/** Keeps the last points of each row and pads on the left with NaN to a common whole number of patches. */
const prepare = (rows: readonly ArrayLike<number>[], { chronos_config: c }: Config) => {
  const kept = rows.map((row) => Math.min(row.length, c.context_length));
  const length = Math.ceil(Math.max(1, ...kept) / c.input_patch_size) * c.input_patch_size;
  const data = new Float32Array(rows.length * length).fill(Number.NaN);
  rows.forEach((row, b) => {
    const from = row.length - kept[b]!;
    for (let i = 0; i < kept[b]!; i++) data[(b + 1) * length - kept[b]! + i] = row[from + i]!;
  });
  const windows = Math.floor((length - c.input_patch_size) / c.input_patch_stride) + 1;
  return { context: { dtype: 'float32', dims: [rows.length, length], data } as const, windows };
};

type Context = TensorValue;

/** What the graph is fed: where patches start is told where they do not lie side by side. */
export const feedsOf = (context: Context, windows: number, { chronos_config: c }: Config) => {
  const { input_patch_size: size, input_patch_stride: stride } = c;
  if (stride === size) return { context };
  const starts = BigInt64Array.from({ length: windows }, (_, i) => BigInt(i * stride));
  return { context, patch_starts: { dtype: 'int64', dims: [windows], data: starts } as const };
};

/** One pass. rows of points -> quantiles [rows, Q, H], flat */
const onePass = async (
  run: RunGraph,
  rows: readonly ArrayLike<number>[],
  c: Config,
): Promise<Float32Array> => {
  const { context, windows } = prepare(rows, c);
  const { quantiles } = await run('forward', feedsOf(context, windows, c));
  return quantiles!.data as Float32Array;
};

/**
 * Forecasts longer than one pass feed the fan of quantiles back: Q copies of the context, each extended
 * by one quantile, are forecast, and their Q * Q values a step are reduced to Q again
 * (chronos_bolt.py, `predict`). Returns for each row the quantiles as Q arrays of `horizon` values.
 */
const rollOut = async (
  run: RunGraph,
  rows: readonly ArrayLike<number>[],
  horizon: number,
  c: Config,
): Promise<Float32Array[][]> => {
  const { prediction_length: block, context_length, quantiles: levels } = c.chronos_config;
  const q = levels.length;
  const fans = rows.map(() => levels.map(() => new Float32Array(horizon)));
  let latest = await onePass(run, rows, c);
  let copies = rows.flatMap((row) => levels.map(() => Float32Array.from(row)));
  for (let done = 0; ; ) {
    const steps = Math.min(block, horizon - done);
    fans.forEach((fan, b) => {
      for (const [j, row] of fan.entries()) {
        const from = (b * q + j) * block;
        row.set(latest.subarray(from, from + steps), done);
      }
    });
    done += steps;
    if (done >= horizon) return fans;
    copies = copies.map((copy, i) =>
      extend(copy, latest.subarray(i * block, (i + 1) * block), context_length),
    );
    latest = reduceFans(await onePass(run, copies, c), rows.length, levels, block);
  }
};

const extend = (
  row: Float32Array,
  block: Float32Array,
  contextLength: number,
): Float32Array<ArrayBuffer> => {
  const joined = new Float32Array(row.length + block.length);
  joined.set(row);
  joined.set(block, row.length);
  return joined.subarray(Math.max(0, joined.length - contextLength));
};

/** [rows * Q, Q, H] -> [rows, Q, H] by empirical quantiles over the Q * Q values of a step. */
const reduceFans = (
  wide: Float32Array,
  rows: number,
  levels: readonly number[],
  block: number,
): Float32Array => {
  const q = levels.length;
  const reduced = new Float32Array(rows * q * block);
  const values = new Float32Array(q * q);
  for (let b = 0; b < rows; b++) {
    for (let h = 0; h < block; h++) {
      for (let i = 0; i < q * q; i++) values[i] = wide[(b * q * q + i) * block + h]!;
      values.sort();
      levels.forEach((level, j) => {
        reduced[(b * q + j) * block + h] = linearQuantile(values, level);
      });
    }
  }
  return reduced;
};

/** Forecasts of a task; past one pass the fan of quantiles is fed back. */
export const forecast = async (run: RunGraph, c: Config, task: Task): Promise<Outcome> => {
  limitHorizon(task, c.chronos_config.prediction_length, 'chronos-bolt');
  const levels = c.chronos_config.quantiles;
  const fans = await rollOut(
    run,
    task.series.map((series) => series.targets[0]!),
    task.horizon,
    c,
  );
  const forecasts = fans.map((fan) => {
    const [mean] = interpolatedQuantiles(fan, levels, [0.5]);
    return {
      targets: [{ mean: mean!, quantiles: interpolatedQuantiles(fan, levels, task.quantiles) }],
    };
  });
  return { forecasts, warnings: [] };
};
