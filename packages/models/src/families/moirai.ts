/**
 * Moirai 1.0-R and 1.1-R: a masked encoder over patches of any number of variates and covariates. All
 * patches to come are masked tokens of one pass; every point of them gets a mixture of distributions.
 * Five patch sizes share the encoder, each with its own projections.
 *
 * Paper        Woo et al., "Unified Training of Universal Time Series Forecasting Transformers", ICML 2024
 *              (arXiv:2402.02592)
 * Reference    github.com/SalesforceAIResearch/uni2ts, src/uni2ts/model/moirai (Apache-2.0)
 * Checkpoints  Salesforce/moirai-{1.0,1.1}-R-{small,base,large} (CC-BY-NC-4.0)
 */
import { NO_COVARIATES } from '@tollama/core/capabilities';
import {
  add,
  affine,
  cast,
  constant,
  defineGraph,
  div,
  type Graph,
  input,
  iota,
  less,
  maximum,
  mul,
  not,
  rearrange,
  softmax,
  softplus,
  sub,
  type Tensor,
  take,
  type Weights,
  where,
} from '@tollama/graph';
import { z } from 'zod';
import { defineFamily, type Probe } from '../family.ts';
import { moiraiHeads, moiraiLayers, moiraiNorm, packedScaler } from '../nn/moirai.ts';
import { COMPONENT_KINDS, componentKindOf, type Domain } from './moirai/components.ts';
import { forecastMixture } from './moirai/forecast.ts';
import { type ComponentConfig, outputName } from './moirai/head.ts';

const COMPONENT_NAMES = COMPONENT_KINDS.map(({ target }) => target).join(', ');

const Component = z.object({
  _target_: z.string().refine((target) => componentKindOf(target) !== undefined, {
    error: `known are ${COMPONENT_NAMES}`,
  }),
  scale: z.number().positive().default(1e-3),
  alpha: z.number().positive().default(3),
});

const isMixture = (target: string): boolean => target.endsWith('.MixtureOutput');

/** A mixture of components, or one of them alone. */
const DistributionOutput = Component.extend({
  _target_: z
    .string()
    .refine((target) => isMixture(target) || componentKindOf(target) !== undefined, {
      error: `known are MixtureOutput, ${COMPONENT_NAMES}`,
    }),
  components: z.array(Component).min(1).optional(),
}).refine(({ _target_, components }) => isMixture(_target_) === (components !== undefined), {
  path: ['components'],
  error: 'a mixture has components, and no other distribution has',
});

const Config = z.object({
  d_model: z
    .int()
    .min(64)
    .refine((d) => d % (4 * moiraiHeads(d)) === 0, 'must split into heads of a multiple of 4'),
  num_layers: z.int().positive(),
  patch_sizes: z.array(z.int().positive()).min(1),
  max_seq_len: z.int().positive().default(512),
  attn_dropout_p: z.number().default(0),
  dropout_p: z.number().default(0),
  scaling: z.boolean().default(true),
  distr_output: DistributionOutput,
});
type Config = z.infer<typeof Config>;

const componentsOf = ({ distr_output: output }: Config): readonly ComponentConfig[] =>
  output.components ?? [output];

/** The smallest positive number that scales may be: float32's step at 1. */
const SMALLEST_SCALE = 2 ** -23;

const withinDomain: Readonly<Record<Domain, (x: Tensor) => Tensor>> = {
  real: (x) => x,
  softplus,
  positive: (x) => maximum(softplus(x), SMALLEST_SCALE),
  'above two': (x) => add(softplus(x), 2),
};

/** The patch size of a run: its number among `patch_sizes`, and its points. */
interface PatchSize {
  readonly index: Tensor;
  readonly points: Tensor;
}

/** Which of `count` places lie before `points` * times. -> bool [count] */
const isWithin = (count: number, { points }: PatchSize, times = 1): Tensor =>
  less(iota(count), mul(points, times));

/** The projection of the patch size; columns beyond it take no part. x [b, n, M] -> [b, n, d] */
const patchProjection = (x: Tensor, w: Weights, size: PatchSize, c: Config): Tensor => {
  const [count, widest] = [c.patch_sizes.length, Math.max(...c.patch_sizes)];
  const weight = take(w.get('weight', [count, c.d_model, widest]), size.index);
  const used = where(isWithin(widest, size), weight, 0);
  return add(affine(x, used), take(w.get('bias', [count, c.d_model]), size.index));
};

/**
 * One tensor of parameters: [dim, M] numbers a token, of which the first P columns are meant. The rows of
 * the weight are cut off at dim * P, not at P of every M: so the published models were trained.
 */
const parameterProjection = (
  h: Tensor,
  w: Weights,
  dim: number,
  size: PatchSize,
  c: Config,
): Tensor => {
  const [count, out] = [c.patch_sizes.length, dim * Math.max(...c.patch_sizes)];
  const raw = affine(h, take(w.get('weight', [count, out, c.d_model]), size.index));
  const bias = take(w.get('bias', [count, out]), size.index);
  return add(where(isWithin(out, size, dim), raw, 0), bias);
};

/** The parameters of the mixture for each state: h [b, r, d] -> each [b, r, M], weights of a mixture [b, r, J, M] */
const mixtureHead = (
  h: Tensor,
  w: Weights,
  size: PatchSize,
  c: Config,
  probe: Probe,
): Record<string, Tensor> => {
  const components = componentsOf(c);
  const isOne = c.distr_output.components === undefined;
  const project = (name: string, dim = 1): Tensor =>
    probe(`param_proj_raw.${name}`, parameterProjection(h, w.at(name), dim, size, c));
  const outputs: Record<string, Tensor> = {};
  components.forEach(({ _target_ }, i) => {
    for (const [name, domain] of Object.entries(componentKindOf(_target_)!.parameters)) {
      const tensor = project(isOne ? name : outputName(i, name));
      outputs[outputName(i, name)] = withinDomain[domain](tensor);
    }
  });
  if (isOne) return outputs;
  const logits = rearrange(project('weights_logits', components.length), 'b r (j m) -> b r j m', {
    j: components.length,
  });
  return { ...outputs, weights: softmax(logits, 2) };
};

/**
 * Tokens [batch, tokens] in raw units, all of one patch size -> the mixtures of the tokens at `read`: loc,
 * scale [batch, reads, 1], weights and parameters
 */
const forward = (c: Config, w: Weights, probe: Probe): Graph => {
  const widest = Math.max(...c.patch_sizes);
  const target = input('target', ['batch', 'tokens', widest]);
  const observed = input('observed', ['batch', 'tokens', widest]);
  const sample = input('sample_id', ['batch', 'tokens'], 'int32');
  const time = input('time_id', ['batch', 'tokens'], 'int32');
  const variate = input('variate_id', ['batch', 'tokens'], 'int32');
  const isPredicted = input('prediction_mask', ['batch', 'tokens'], 'bool');
  const read = input('read', ['reads'], 'int64');
  const index = input('patch', [], 'int64');
  const ids = { sample, time, variate };
  const size = { index, points: take(constant(c.patch_sizes, 'int64'), index) };

  const hidden = rearrange(isPredicted, 'b n -> b n 1');
  const counted = mul(observed, cast(not(hidden), 'float32'));
  const { loc, scale } = packedScaler(target, counted, ids, c.scaling);
  const scaled = div(sub(target, probe('token_loc', loc)), probe('token_scale', scale));
  const embedded = probe('after_in_proj', patchProjection(scaled, w.at('in_proj'), size, c));
  const mask = w.get('mask_encoding.weight', [1, c.d_model]);
  const encoder = w.at('encoder');
  const masked = probe('encoder_in', where(hidden, rearrange(mask, '1 d -> 1 1 d'), embedded));
  const state = moiraiLayers(masked, encoder, ids, {
    layers: c.num_layers,
    // Two thirds of four times d, in whole eights: not in the config.
    feedForwardWidth: 8 * Math.ceil(Math.floor((8 * c.d_model) / 3) / 8),
    isCausal: false,
    read,
    probe,
  });
  const atRead = (x: Tensor): Tensor => take(x, read, 1);
  const last = probe('encoder_out', moiraiNorm(state, encoder.at('norm')));
  const mixture = mixtureHead(last, w.at('param_proj.proj'), size, c, probe);
  const inputs = [target, observed, sample, time, variate, isPredicted, read, index];
  return defineGraph('moirai', inputs, { loc: atRead(loc), scale: atRead(scale), ...mixture });
};

export const moirai = defineFamily({
  name: 'moirai',
  config: Config,
  // Moirai-MoE has the same keys, but experts in place of feed-forward layers.
  recognizes: (config, tensors) =>
    'patch_sizes' in config &&
    'distr_output' in config &&
    ![...tensors.keys()].some((name) => name.includes('.experts.')),
  graphs: (c, w, probe) => ({ forward: forward(c, w, probe) }),
  capabilities: (c) => ({
    covariates: {
      ...NO_COVARIATES,
      past_covariates_numeric: true,
      future_covariates_numeric: true,
    },
    contextLength: c.max_seq_len * Math.min(...c.patch_sizes),
    nativeHorizon: null,
    maxHorizon: null,
    // Any level can be read off the mixture.
    quantiles: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9],
    multivariate: true,
    samples: true,
  }),
  forecast: (run, c, task) =>
    forecastMixture(run, task, {
      patchSizes: c.patch_sizes,
      components: componentsOf(c),
      longestContext: c.max_seq_len * Math.min(...c.patch_sizes),
    }),
});
