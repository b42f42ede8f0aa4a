/**
 * Moirai 2: a causal transformer over patches of any number of variates and covariates. From the last
 * patch of a variate it gives all quantiles of several patches to come; longer horizons feed the fan of
 * quantiles back.
 *
 * Paper        Liu et al., "Moirai 2.0: When Less Is More for Time Series Forecasting", arXiv:2511.11698
 * Reference    github.com/SalesforceAIResearch/uni2ts, src/uni2ts/model/moirai2 (Apache-2.0)
 * Checkpoints  Salesforce/moirai-2.0-R-small (CC-BY-NC-4.0)
 */
import { type Capabilities, NO_COVARIATES } from '@tollama/core/capabilities';
import { TollamaError } from '@tollama/core/errors';
import {
  add,
  cast,
  concat,
  defineGraph,
  div,
  type Graph,
  input,
  mul,
  not,
  rearrange,
  silu,
  sub,
  type Tensor,
  take,
  type Weights,
} from '@tollama/graph';
import { z } from 'zod';
import {
  defineFamily,
  type ModelSeries,
  type Outcome,
  type Probe,
  type RunGraph,
  type SeriesForecast,
  type Task,
} from '../family.ts';
import { linear } from '../nn/linear.ts';
import { moiraiHeads, moiraiLayers, moiraiNorm, packedScaler } from '../nn/moirai.ts';
import { ContextLength } from '../option-limits.ts';
import { quantilesWithTails } from '../quantiles.ts';
import { readOptions } from '../read-options.ts';
import { forecastVariates } from '../variates.ts';
import { rollOut } from './moirai/roll-out.ts';
import { packTokens } from './moirai/tokens.ts';
import { training } from './moirai/training.ts';
import {
  forecastWindow,
  type History,
  historyOf,
  type Imputation,
  imputeCausalMean,
  imputeZero,
  placesByLayout,
} from './moirai/windows.ts';

const Config = z.object({
  d_model: z
    .int()
    .min(64)
    .refine((d) => d % (4 * moiraiHeads(d)) === 0, 'must split into heads of a multiple of 4'),
  d_ff: z.int().positive(),
  num_layers: z.int().positive(),
  patch_size: z.int().positive(),
  num_predict_token: z.int().positive(),
  quantile_levels: z.array(z.number().gt(0).lt(1)).min(1),
  max_seq_len: z.int().positive().default(512),
  attn_dropout_p: z.number().default(0),
  dropout_p: z.number().default(0),
  scaling: z.boolean().default(true),
});
type Config = z.infer<typeof Config>;

/** x [..., in] -> [..., out] */
const residualBlock = (x: Tensor, w: Weights, hidden: number, out: number): Tensor =>
  add(
    linear(silu(linear(x, w.at('hidden_layer'), hidden)), w.at('output_layer'), out),
    linear(x, w.at('residual_layer'), out),
  );

/**
 * Tokens [batch, tokens] in raw units -> the patches that follow the tokens at `read`, in raw units:
 * quantiles [batch, reads, K, Q, P]
 */
const forward = (c: Config, w: Weights, probe: Probe): Graph => {
  const { d_model: d, patch_size: p, num_predict_token: k, quantile_levels: levels } = c;
  const target = input('target', ['batch', 'tokens', p]);
  const observed = input('observed', ['batch', 'tokens', p]);
  const sample = input('sample_id', ['batch', 'tokens'], 'int32');
  const time = input('time_id', ['batch', 'tokens'], 'int32');
  const variate = input('variate_id', ['batch', 'tokens'], 'int32');
  const isPredicted = input('prediction_mask', ['batch', 'tokens'], 'bool');
  const read = input('read', ['reads'], 'int64');
  const ids = { sample, time, variate };

  const isGiven = cast(rearrange(not(isPredicted), 'b n -> b n 1'), 'float32');
  const { loc, scale } = packedScaler(target, mul(observed, isGiven), ids, c.scaling);
  const scaled = div(sub(target, probe('loc', loc)), probe('scale', scale));
  const embedded = residualBlock(concat([scaled, observed], -1), w.at('in_proj'), d, d);
  const encoder = w.at('encoder');
  const state = moiraiLayers(probe('after_in_proj', embedded), encoder, ids, {
    layers: c.num_layers,
    feedForwardWidth: c.d_ff,
    isCausal: true,
    read,
    probe,
  });
  const last = probe('encoder_out', moiraiNorm(state, encoder.at('norm')));
  const head = residualBlock(last, w.at('out_proj'), d, k * levels.length * p);
  const atRead = (x: Tensor): Tensor => take(x, read, 1);
  const raw = add(mul(probe('out_proj_raw', head), atRead(scale)), atRead(loc));
  const quantiles = rearrange(raw, 'b r (k q p) -> b r k q p', { k, q: levels.length });
  const inputs = [target, observed, sample, time, variate, isPredicted, read];
  return defineGraph('moirai2', inputs, { quantiles });
};

// ---- around the graph: plain arrays --------------------------------------------------------------

const Options = z.object({
  /** Points of history that are read; as many as there are, up to `max_seq_len` patches, when absent. */
  context_length: ContextLength.optional(),
  /** Which of the reference's two ways treats missing and absent points. */
  api: z.enum(['predictor', 'predict']).default('predictor'),
});
type Options = z.infer<typeof Options>;

const capabilities = (c: Config): Capabilities => ({
  covariates: {
    ...NO_COVARIATES,
    past_covariates_numeric: true,
    future_covariates_numeric: true,
  },
  contextLength: c.max_seq_len * c.patch_size,
  nativeHorizon: c.num_predict_token * c.patch_size,
  maxHorizon: null,
  quantiles: c.quantile_levels,
  multivariate: true,
  samples: false,
});

/** A univariate target is imputed by the mean of its past, several by 0, as everything is by `predict`. */
const imputationFor = ({ targets }: ModelSeries, { api }: Options): Imputation =>
  api === 'predictor' && targets.length === 1 ? imputeCausalMean : imputeZero;

const contextOf = (histories: readonly History[], o: Options, c: Config): number => {
  if (o.context_length !== undefined) return o.context_length;
  const longest = histories.reduce((most, { length }) => Math.max(most, length), 1);
  return Math.min(Math.ceil(longest / c.patch_size), c.max_seq_len) * c.patch_size;
};

const forecastOf = (fans: readonly Float32Array[][], task: Task, c: Config): SeriesForecast => ({
  targets: fans.map((rows) => {
    const [mean] = quantilesWithTails(rows, c.quantile_levels, [0.5]);
    return { mean: mean!, quantiles: quantilesWithTails(rows, c.quantile_levels, task.quantiles) };
  }),
});

const checkApi = ({ series }: Task, { api }: Options): void => {
  const isPlain = series.every(
    ({ targets, pastCovariates = {} }) =>
      targets.length === 1 && Object.keys(pastCovariates).length === 0,
  );
  if (api === 'predict' && !isPlain) {
    throw new TollamaError(
      'INVALID_REQUEST',
      "option api = 'predict' takes univariate series without covariates only",
      { hint: "leave the option out, or use api = 'predictor'" },
    );
  }
};

const ONE_BY_ONE = 'the horizon is longer than one pass: variates were forecast one by one';

const forecast = async (run: RunGraph, c: Config, task: Task): Promise<Outcome> => {
  const options = readOptions(Options, task, 'moirai2');
  checkApi(task, options);
  const { horizon } = task;
  const rollsOut = Math.ceil(horizon / c.patch_size) > c.num_predict_token;
  if (rollsOut && task.series.some(({ targets }) => targets.length > 1)) {
    const alone = { ...capabilities(c), multivariate: false };
    const outcome = await forecastVariates(alone, task, (one) => forecast(run, c, one));
    return { ...outcome, warnings: [...outcome.warnings, ONE_BY_ONE] };
  }
  const histories = task.series.map((series) => historyOf(series, imputationFor(series, options)));
  const context = contextOf(histories, options, c);
  const padding = options.api === 'predict' ? 'first value' : 'unobserved zeros';
  const forecasts: SeriesForecast[] = [];
  for (const places of placesByLayout(histories)) {
    const windows = places.map((i) => forecastWindow(histories[i]!, { context, horizon, padding }));
    const tokens = packTokens(windows, { patch: c.patch_size });
    const fans = await rollOut(run, tokens, {
      variates: windows[0]!.targets.length,
      context,
      horizon,
      patch: c.patch_size,
      patchesPerPass: c.num_predict_token,
      levels: c.quantile_levels,
    });
    places.forEach((i, row) => {
      forecasts[i] = forecastOf(fans[row]!, task, c);
    });
  }
  return { forecasts, warnings: [] };
};

export const moirai2 = defineFamily({
  name: 'moirai2',
  config: Config,
  recognizes: (config) => 'num_predict_token' in config && 'quantile_levels' in config,
  graphs: (c, w, probe) => ({ forward: forward(c, w, probe) }),
  capabilities,
  forecast,
  training,
});
