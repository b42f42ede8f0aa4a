/**
 * Covariates of window models: their names in config.json, the inputs of the graph, and the way from a request's series
 * to dense arrays. Numbers only; what is missing counts as the mean of its window.
 */
import { type CovariateSupport, NO_COVARIATES } from '@tollama/core/capabilities';
import { TollamaError } from '@tollama/core/errors';
import { input, rearrange, symbol, type Tensor, type TensorValue } from '@tollama/graph';
import { z } from 'zod';
import type { CovariateNames, CovariateRow, FutureColumn, RowWindow } from '../covariate-rows.ts';
import type { Covariate, ModelSeries } from '../family.ts';
import { instanceNorm } from './instance-norm.ts';

const names = z
  .array(z.string().min(1))
  .refine((list) => new Set(list).size === list.length, { error: 'names must differ' })
  .default([]);

/** Keys of config.json of models that read covariates. */
export const COVARIATE_FIELDS = {
  /** Known over the context alone. */
  past_covariates: names,
  /** Known over context and horizon. */
  future_covariates: names,
  /** One number a series, fed as it is. */
  static_covariates: names,
} as const;

export const NO_NAMES: CovariateNames = {
  past_covariates: [],
  future_covariates: [],
  static_covariates: [],
};

export interface WindowSizes {
  readonly input_size: number;
  readonly horizon: number;
}

/** What a forward pass reads beside its context; absent where the config names none. */
export interface CovariateTensors {
  /** [b, input_size, names], standardised over the window. */
  readonly past?: Tensor | undefined;
  /** [b, input_size + horizon, names], standardised over the window. */
  readonly future?: Tensor | undefined;
  /** [b, names] */
  readonly statics?: Tensor | undefined;
}

/** Each column by itself. x [b, t, k], NaN where missing -> the same shape */
const standardized = (x: Tensor): Tensor => {
  const [batch, , columns] = x.shape;
  const { scaled } = instanceNorm(rearrange(x, 'b t k -> (b k) t'));
  return rearrange(scaled, '(b k) t -> b t k', { b: batch!, k: columns! });
};

/** The inputs past, future and static of a graph, as far as a config names any. */
export const covariateInputs = (
  { past_covariates, future_covariates, static_covariates }: CovariateNames,
  { input_size, horizon }: WindowSizes,
): { readonly inputs: readonly Tensor[]; readonly tensors: CovariateTensors } => {
  const batch = symbol('batch');
  const [p, f, s] = [past_covariates, future_covariates, static_covariates].map((x) => x.length);
  const past = p ? input('past', [batch, input_size, p]) : undefined;
  const future = f ? input('future', [batch, input_size + horizon, f]) : undefined;
  const statics = s ? input('static', [batch, s]) : undefined;
  return {
    inputs: [past, future, statics].filter((x) => x !== undefined),
    tensors: {
      past: past && standardized(past),
      future: future && standardized(future),
      statics,
    },
  };
};

export const supportOf = (own: CovariateNames): CovariateSupport => ({
  ...NO_COVARIATES,
  past_covariates_numeric: own.past_covariates.length > 0,
  future_covariates_numeric: own.future_covariates.length > 0,
  static_covariates: own.static_covariates.length > 0,
});

const refuse = (id: string, message: string, hint: string): never => {
  throw new TollamaError('INVALID_REQUEST', `series '${id}': ${message}`, { hint });
};

const numeric = (
  id: string,
  name: string,
  values: Covariate | undefined,
  { kind, length }: { readonly kind: string; readonly length: number },
): ArrayLike<number> => {
  if (values === undefined) {
    return refuse(id, `${kind} covariate '${name}' is missing`, `the model was trained with it`);
  }
  if (typeof values[0] === 'string') {
    return refuse(id, `${kind} covariate '${name}' is words`, 'the model reads numbers');
  }
  if (values.length < length) {
    const found = `${kind} covariate '${name}' has ${values.length} values, expected ${length}`;
    return refuse(id, found, 'give one for each step');
  }
  return values as ArrayLike<number>;
};

/** @throws TollamaError INVALID_REQUEST for a covariate that is missing, too short, or no numbers */
export const covariateRow = (
  { id, targets, pastCovariates = {}, futureCovariates = {}, staticCovariates = {} }: ModelSeries,
  own: CovariateNames,
  horizon: number,
): CovariateRow => {
  const { length } = targets[0]!;
  const history = (name: string) =>
    numeric(id, name, pastCovariates[name], { kind: 'past', length });
  return {
    past: own.past_covariates.map(history),
    future: own.future_covariates.map((name) => ({
      past: history(name),
      ahead: numeric(id, name, futureCovariates[name], { kind: 'future', length: horizon }),
    })),
    statics: own.static_covariates.map((name) => {
      const value = staticCovariates[name];
      if (typeof value === 'number' && Number.isFinite(value)) return value;
      return refuse(id, `static covariate '${name}' is no number`, 'the model was trained with it');
    }),
  };
};

const valueAt = ({ past, ahead }: FutureColumn, t: number): number =>
  (t < past.length ? past[t] : ahead[t - past.length]) ?? Number.NaN;

const float32 = (data: Float32Array, dims: readonly number[]): TensorValue => ({
  dtype: 'float32',
  dims,
  data,
});

/** Feeds of `covariateInputs`; steps before a series begins are NaN. */
export const covariateFeeds = (
  windows: readonly RowWindow[],
  own: CovariateNames,
  { input_size, horizon }: WindowSizes,
): Readonly<Record<string, TensorValue>> => {
  const [p, f, s] = [own.past_covariates, own.future_covariates, own.static_covariates].map(
    (list) => list.length,
  ) as [number, number, number];
  const { length: size } = windows;
  const span = input_size + horizon;
  const past = new Float32Array(size * input_size * p);
  const future = new Float32Array(size * span * f);
  windows.forEach(({ row, start }, b) => {
    for (let i = 0; i < span; i++) {
      const t = start - input_size + i;
      row.future.forEach((column, k) => {
        future[(b * span + i) * f + k] = t < 0 ? Number.NaN : valueAt(column, t);
      });
      if (i >= input_size) continue;
      row.past.forEach((column, k) => {
        past[(b * input_size + i) * p + k] = t < 0 ? Number.NaN : (column[t] ?? Number.NaN);
      });
    }
  });
  const statics = Float32Array.from(windows.flatMap(({ row }) => row.statics));
  return {
    ...(p > 0 && { past: float32(past, [size, input_size, p]) }),
    ...(f > 0 && { future: float32(future, [size, span, f]) }),
    ...(s > 0 && { static: float32(statics, [size, s]) }),
  };
};
