/**
 * What small models have in common that are trained on the user's own series (N-HiTS, N-BEATSx, TiDE, PatchTST): a
 * window of fixed length in, all quantiles of all steps out, around a standardised context.
 */
import {
  add,
  constant,
  defineGraph,
  type Graph,
  input,
  mul,
  rearrange,
  symbol,
  type Tensor,
  type Weights,
} from '@tollama/graph';
import { z } from 'zod';
import type { CovariateNames, CovariateRow } from '../covariate-rows.ts';
import type { Family, FamilyTraining, Outcome, RunGraph, Task } from '../family.ts';
import { interpolatedQuantiles } from '../quantiles.ts';
import { instanceNorm } from './instance-norm.ts';
import {
  type CovariateTensors,
  covariateFeeds,
  covariateInputs,
  covariateRow,
  NO_NAMES,
  supportOf,
} from './window-covariates.ts';

const DECILES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/** Keys of config.json that all of them have. */
export const WINDOW_FIELDS = {
  /** Points of the context. */
  input_size: z.int().positive().max(65_536),
  /** Steps that one pass gives. */
  horizon: z.int().positive().max(65_536),
  quantiles: z
    .array(z.number().gt(0).lt(1))
    .min(1)
    .refine((levels) => levels.every((level, i) => i === 0 || level > levels[i - 1]!), {
      error: 'must ascend',
    })
    .default(DECILES),
} as const;

export interface WindowConfig extends Partial<CovariateNames> {
  readonly input_size: number;
  readonly horizon: number;
  readonly quantiles: readonly number[];
}

/** x [b, input_size], standardised, 0 where missing -> [b, levels * horizon] */
export type WindowForward<C> = (
  x: Tensor,
  config: C,
  weights: Weights,
  covariates: CovariateTensors,
) => Tensor;

const namesOf = (config: WindowConfig): CovariateNames => ({ ...NO_NAMES, ...config });

const graphOf = <C extends WindowConfig>(
  name: string,
  forward: WindowForward<C>,
  config: C,
  weights: Weights,
): Graph => {
  const context = input('context', [symbol('batch'), config.input_size]);
  const { loc, scale, scaled } = instanceNorm(context);
  const { inputs, tensors } = covariateInputs(namesOf(config), config);
  const flat = forward(scaled, config, weights, tensors);
  const fan = rearrange(flat, 'b (q h) -> b q h', { q: config.quantiles.length });
  const [level, spread] = [loc, scale].map((x) => rearrange(x, 'b 1 -> b 1 1')) as [Tensor, Tensor];
  return defineGraph(name, [context, ...inputs], { quantiles: add(mul(fan, spread), level) });
};

/** The last points of each row, padded on the left with NaN. */
const contextsOf = (rows: readonly ArrayLike<number>[], length: number): Float32Array => {
  const data = new Float32Array(rows.length * length).fill(Number.NaN);
  rows.forEach((row, b) => {
    const kept = Math.min(row.length, length);
    for (let i = 0; i < kept; i++) data[(b + 1) * length - kept + i] = row[row.length - kept + i]!;
  });
  return data;
};

const feedsOf = (contexts: Float32Array, size: number) => ({
  context: { dtype: 'float32', dims: [size, contexts.length / size], data: contexts } as const,
});

const medianAt = (levels: readonly number[]): number =>
  levels.reduce((best, q, i) => (Math.abs(q - 0.5) < Math.abs(levels[best]! - 0.5) ? i : best), 0);

interface Rows {
  readonly values: readonly ArrayLike<number>[];
  readonly covariates: readonly CovariateRow[];
}

/** Past the horizon the median is fed back, and past covariates are not known. Gives [row][level] arrays of `steps` values, levels in order. */
const rollOut = async (
  run: RunGraph,
  config: WindowConfig,
  { values: rows, covariates }: Rows,
  steps: number,
): Promise<Float32Array[][]> => {
  const { horizon, quantiles: levels, input_size } = config;
  const middle = medianAt(levels);
  const fans = rows.map(() => levels.map(() => new Float32Array(steps)));
  let known = rows.map((row) => Array.from(row));
  for (let done = 0; done < steps; done += horizon) {
    const windows = covariates.map((row, b) => ({ row, start: rows[b]!.length + done }));
    const { quantiles } = await run('forward', {
      ...feedsOf(contextsOf(known, input_size), rows.length),
      ...covariateFeeds(windows, namesOf(config), config),
    });
    const data = quantiles!.data as Float32Array;
    const wanted = Math.min(horizon, steps - done);
    const fan = new Float32Array(levels.length);
    fans.forEach((own, b) => {
      for (let h = 0; h < wanted; h++) {
        for (let q = 0; q < fan.length; q++) fan[q] = data[(b * fan.length + q) * horizon + h]!;
        // A fan that was trained level by level may cross.
        fan.sort();
        for (let q = 0; q < fan.length; q++) own[q]![done + h] = fan[q]!;
      }
    });
    known = known.map((row, b) =>
      [...row, ...fans[b]![middle]!.subarray(done, done + wanted)].slice(-input_size),
    );
  }
  return fans;
};

const forecastWindows = async (
  run: RunGraph,
  config: WindowConfig,
  { series, horizon, quantiles }: Task,
): Promise<Outcome> => {
  const values = series.map(({ targets }) => targets[0]!);
  const covariates = series.map((one) => covariateRow(one, namesOf(config), horizon));
  const fans = await rollOut(run, config, { values, covariates }, horizon);
  const forecasts = fans.map((fan) => {
    const [mean] = interpolatedQuantiles(fan, config.quantiles, [0.5]);
    const asked = interpolatedQuantiles(fan, config.quantiles, quantiles);
    return { targets: [{ mean: mean!, quantiles: asked }] };
  });
  return { forecasts, warnings: [] };
};

export interface WindowFamilyOptions<C extends WindowConfig> {
  readonly name: string;
  /** `model_type` in config.json. */
  readonly modelType: string;
  readonly config: z.ZodType<C>;
  readonly forward: WindowForward<C>;
  readonly targets: FamilyTraining['targets'];
  readonly head: RegExp;
}

/** The parts of a family that only its forward pass tells from another. */
export const windowFamily = <C extends WindowConfig>(
  options: WindowFamilyOptions<C>,
): Family<C> => ({
  name: options.name,
  config: options.config,
  recognizes: ({ model_type }) => model_type === options.modelType,
  graphs: (config, weights) => ({
    forward: graphOf(options.name, options.forward, config, weights),
  }),
  capabilities: ({ input_size, horizon, quantiles, ...names }) => ({
    covariates: supportOf({ ...NO_NAMES, ...names }),
    contextLength: input_size,
    nativeHorizon: horizon,
    maxHorizon: null,
    quantiles: [...quantiles],
    multivariate: false,
    samples: false,
  }),
  forecast: (run, config, task) => forecastWindows(run, config, task),
  training: ({ input_size, horizon, quantiles, ...names }) => ({
    graph: 'forward',
    contextLength: input_size,
    // A context of one season at least would be better; what is missing counts as its mean.
    shortestContext: Math.min(input_size, horizon),
    horizon,
    levels: quantiles,
    quantiles: (outputs) => outputs.get('quantiles')!,
    feeds: feedsOf,
    covariates: {
      names: { ...NO_NAMES, ...names },
      feeds: (windows) =>
        covariateFeeds(windows, { ...NO_NAMES, ...names }, { input_size, horizon }),
    },
    targets: options.targets,
    head: options.head,
  }),
});

/** [from, to] whose product with `from` values interpolates them linearly to `to` places (torch's interpolate). */
export const interpolation = (from: number, to: number): Tensor => {
  const matrix = new Float32Array(from * to);
  for (let place = 0; place < to; place++) {
    const at = Math.max(0, ((place + 0.5) * from) / to - 0.5);
    const left = Math.min(Math.floor(at), from - 1);
    const right = Math.min(left + 1, from - 1);
    matrix[left * to + place]! += 1 - (at - left);
    matrix[right * to + place]! += at - left;
  }
  return constant([...matrix], 'float32', [from, to]);
};
