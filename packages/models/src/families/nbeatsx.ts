/**
 * N-BEATSx: doubly residual stacks of perceptrons whose outputs are coefficients of a trend (polynomials), of a season
 * (harmonics), of covariates that are known ahead (exogenous), or of the values themselves. All perceptrons read all
 * covariates.
 *
 * Paper        Oreshkin et al., "N-BEATS", ICLR 2020; Olivares et al., "Neural basis expansion analysis with
 *              exogenous variables: Forecasting electricity prices with NBEATSx", IJF 2023
 * Reference    github.com/Nixtla/neuralforecast, models/nbeatsx.py (Apache-2.0)
 * Checkpoints  none: `tollama train --from-scratch` makes them, with quantiles in place of points
 */
import {
  concat,
  constant,
  dimOf,
  matmul,
  rearrange,
  repeat,
  slice,
  type Tensor,
  type Weights,
} from '@tollama/graph';
import { z } from 'zod';
import { defineFamily } from '../family.ts';
import { type BlockOutput, doublyResidual, perceptron } from '../nn/doubly-residual.ts';
import { linear } from '../nn/linear.ts';
import { COVARIATE_FIELDS, type CovariateTensors } from '../nn/window-covariates.ts';
import { WINDOW_FIELDS, windowFamily } from '../nn/window-model.ts';

const STACKS = ['identity', 'trend', 'seasonality', 'exogenous'] as const;

const Config = z
  .object({
    model_type: z.literal('nbeatsx'),
    ...WINDOW_FIELDS,
    stack_types: z.array(z.enum(STACKS)).min(1).default(['trend', 'seasonality', 'identity']),
    /** Blocks of each stack. */
    n_blocks: z.int().positive().default(1),
    /** Layers of each block's perceptron. */
    mlp_units: z.array(z.int().positive()).min(1).default([256, 256]),
    /** Highest power of a trend. */
    n_polynomials: z.int().min(0).max(8).default(2),
    /** Harmonics for each step of half a horizon. */
    n_harmonics: z.int().positive().max(8).default(2),
    ...COVARIATE_FIELDS,
  })
  .refine(
    ({ stack_types, future_covariates, static_covariates }) =>
      !stack_types.includes('exogenous') || future_covariates.length + static_covariates.length > 0,
    { path: ['stack_types'], error: 'exogenous needs future_covariates or static_covariates' },
  );
type Config = z.infer<typeof Config>;

/** [powers, horizon]: (t / horizon)^p */
const trendBasis = (powers: number, size: number): Tensor =>
  constant(
    Array.from({ length: powers * size }, (_, i) => ((i % size) / size) ** Math.floor(i / size)),
    'float32',
    [powers, size],
  );

/** Frequencies 0, 1/n, 2/n, ... up to half of the steps (nbeatsx.py, SeasonalityBasis). */
const frequencies = (harmonics: number, horizon: number): number[] => {
  const count = Math.max(1, Math.floor(harmonics / 2) * horizon - harmonics + 1);
  return [0, ...Array.from({ length: count - 1 }, (_, i) => (harmonics + i) / harmonics)];
};

/** [2 * frequencies, size]: cosines, then sines. `first` is the first step, counted from the forecast's start. */
const seasonBasis = (
  { n_harmonics, horizon }: Config,
  { first, size }: { readonly first: number; readonly size: number },
): Tensor => {
  const rates = frequencies(n_harmonics, horizon);
  const row = (wave: (angle: number) => number, rate: number): number[] =>
    Array.from({ length: size }, (_, t) => wave((2 * Math.PI * rate * (first + t)) / horizon));
  const rows = [
    ...rates.flatMap((rate) => row(Math.cos, rate)),
    ...rates.flatMap((rate) => row(Math.sin, rate)),
  ];
  return constant(rows, 'float32', [2 * rates.length, size]);
};

/** Covariates as a basis: statics are the same at every step. [b, names, input_size + horizon] */
const exogenousBasis = ({ future, statics }: CovariateTensors, span: number): Tensor => {
  const rows = [
    future && rearrange(future, 'b t k -> b k t'),
    statics && repeat(statics, 'b k -> b k t', { t: span }),
  ];
  return concat(
    rows.filter((row) => row !== undefined),
    1,
  );
};

/**
 * Bases of the context and of the horizon, [coefficients, steps] or of each window; undefined for coefficients that are
 * the values.
 */
const basesOf = (type: (typeof STACKS)[number], c: Config, covariates: CovariateTensors) => {
  const { input_size, horizon, n_polynomials } = c;
  switch (type) {
    case 'identity':
      return undefined;
    case 'trend':
      return {
        back: trendBasis(n_polynomials + 1, input_size),
        ahead: trendBasis(n_polynomials + 1, horizon),
      };
    case 'seasonality':
      return {
        back: seasonBasis(c, { first: -input_size, size: input_size }),
        ahead: seasonBasis(c, { first: 0, size: horizon }),
      };
    case 'exogenous': {
      const whole = exogenousBasis(covariates, input_size + horizon);
      return {
        back: slice(whole, 2, { start: 0, end: input_size }),
        ahead: slice(whole, 2, { start: input_size, end: input_size + horizon }),
      };
    }
  }
};

interface BlockParts {
  readonly config: Config;
  readonly type: (typeof STACKS)[number];
  readonly covariates: CovariateTensors;
}

/** theta [b, k], basis [k, t] or [b, k, t] -> [b, t] */
const combined = (theta: Tensor, basis: Tensor): Tensor =>
  basis.shape.length === 2
    ? matmul(theta, basis)
    : rearrange(matmul(rearrange(theta, 'b k -> b 1 k'), basis), 'b 1 t -> b t');

/** All that a perceptron reads, flat. */
const joined = (x: Tensor, { past, future, statics }: CovariateTensors): Tensor => {
  const flat = (steps: Tensor) => rearrange(steps, 'b t k -> b (t k)');
  const read = [x, past && flat(past), future && flat(future), statics];
  return concat(
    read.filter((part) => part !== undefined),
    1,
  );
};

const block = (x: Tensor, w: Weights, { config: c, type, covariates }: BlockParts): BlockOutput => {
  const y = perceptron(joined(x, covariates), w, c.mlp_units);
  const bases = basesOf(type, c, covariates);
  const back = bases ? Number(dimOf(bases.back, -2)) : c.input_size;
  const ahead = bases ? Number(dimOf(bases.ahead, -2)) : c.horizon;
  const theta = linear(y, w.at('theta'), back + c.quantiles.length * ahead);
  const behind = slice(theta, 1, { start: 0, end: back });
  const end = back + c.quantiles.length * ahead;
  const before = rearrange(slice(theta, 1, { start: back, end }), 'b (q k) -> b q k', {
    q: c.quantiles.length,
  });
  return {
    backcast: bases ? combined(behind, bases.back) : behind,
    forecast: bases ? matmul(before, bases.ahead) : before,
  };
};

const forward = (x: Tensor, c: Config, w: Weights, covariates: CovariateTensors): Tensor => {
  const counts = c.stack_types.map(() => c.n_blocks);
  return doublyResidual(x, c, w, counts, (residual, at, stack) =>
    block(residual, at, { config: c, type: c.stack_types[stack]!, covariates }),
  );
};

export const nbeatsx = defineFamily(
  windowFamily<Config>({
    name: 'nbeatsx',
    modelType: 'nbeatsx',
    config: Config as unknown as z.ZodType<Config>,
    forward,
    targets: ['theta'],
    head: /\.theta\./,
  }),
);
