/**
 * Toto 1.0 (Time Series Optimized Transformer for Observability): a decoder over patches, mostly of layers
 * that look back in time, with few that look across the variates. The state of each patch gives a mixture of
 * Student-t distributions for every step of the next one; forecasts are means or sample paths, patch by
 * patch.
 *
 * Paper        Cohen et al., "This Time is Different: An Observability Perspective on Time Series
 *              Foundation Models", arXiv:2505.14766
 * Reference    github.com/DataDog/toto, toto/model and toto/inference/forecaster.py (Apache-2.0)
 * Checkpoints  Datadog/Toto-Open-Base-1.0 (Apache-2.0)
 */
import { NO_COVARIATES } from '@tollama/core/capabilities';
import {
  add,
  addDims,
  concat,
  type Dim,
  defineGraph,
  div,
  type Graph,
  input,
  maximum,
  mul,
  multiplyDims,
  rearrange,
  softmax,
  softplus,
  sqrt,
  sum,
  symbol,
  type Tensor,
  take,
  type Weights,
} from '@tollama/graph';
import { defineFamily, type Probe } from '../family.ts';
import { linear } from '../nn/linear.ts';
import { CONTEXT_LENGTH, Config, componentsOf, isSingle, timeLayers } from './toto/config.ts';
import { forecast } from './toto/forecast.ts';
import { decoder, type Memory, positions, timeMask, variateMask } from './toto/layers.ts';

/** float32's epsilon, the least that degrees of freedom exceed 2 by and the least scale. */
const EPSILON = 2 ** -23;

/** x [r, c, p, d] -> df, loc, scale and shares of K components, [r, c, p, K] each */
const mixture = (x: Tensor, w: Weights, c: Config): Readonly<Record<string, Tensor>> => {
  const components = componentsOf(c)!;
  const head = (name: string): Tensor => linear(x, w.at(name), components);
  const positive = (y: Tensor): Tensor => maximum(softplus(y), EPSILON);
  return {
    df: add(positive(head('df')), 2),
    loc: head('loc_proj'),
    scale: positive(head('scale_proj')),
    // The share of one distribution alone is 1.
    probs: softmax(head(isSingle(c) ? 'loc_proj' : 'mixture_weights')),
  };
};

/** Whether a checkpoint was fine-tuned with labels of variates. */
const hasLabels = (w: Weights): boolean => w.has('target_variate_label');

/**
 * A token of length 1 for each label, which tells targets (0) from covariates (1) and stands before their
 * patches. labels int64 [b, v, c, labelled]
 */
const labelTokens = (labels: Tensor, w: Weights, c: Config): Tensor => {
  const rows = ['target_variate_label', 'exogenous_variate_label'].map((name) =>
    rearrange(w.get(name, [c.embed_dim]), 'd -> 1 d'),
  );
  const table = concat(rows, 0);
  const length = sqrt(sum(mul(table, table), 1, { keepAxes: true }));
  return take(div(table, maximum(length, 1e-12)), labels); // [b, v, c, labelled, d]
};

/** What a run is fed: sizes are those of the run. */
interface Inputs {
  readonly patches: Tensor;
  readonly groups: Tensor;
  readonly labels: Tensor;
  /** What is remembered, of each layer that looks back in time. */
  readonly past: readonly Memory[];
  readonly variates: Dim;
  readonly chains: Dim;
  readonly labelled: Dim;
  readonly fresh: Dim;
  readonly prefix: Dim;
  readonly own: Dim;
}

const inputsOf = (c: Config): Inputs => {
  const [batch, variates, chains] = [symbol('batch'), symbol('variates'), symbol('chains')];
  const [labelled, fresh] = [symbol('labelled'), symbol('fresh')];
  const [prefix, own] = [symbol('prefix'), symbol('own')];
  const { num_heads: heads } = c;
  const rows = multiplyDims(batch, variates);
  const width = c.embed_dim / heads;
  return {
    patches: input('patches', [batch, variates, chains, fresh, c.patch_size]),
    groups: input('groups', [batch, variates], 'int64'),
    labels: input('labels', [batch, variates, chains, labelled], 'int64'),
    past: timeLayers(c).map((_, i) => ({
      prefixKey: input(`prefix_key_${i}`, [rows, heads, prefix, width]),
      prefixValue: input(`prefix_value_${i}`, [rows, heads, prefix, width]),
      ownKey: input(`own_key_${i}`, [rows, chains, heads, own, width]),
      ownValue: input(`own_value_${i}`, [rows, chains, heads, own, width]),
    })),
    ...{ variates, chains, labelled, fresh, prefix, own },
  };
};

const listed = ({ patches, groups, labels, past }: Inputs): Tensor[] => [
  patches,
  groups,
  labels,
  ...past.flatMap((one) => [one.prefixKey, one.prefixValue, one.ownKey, one.ownValue]),
];

/**
 * Standardised patches of each chain after what is remembered -> the mixture of each step of the patch after
 * the last one, standardised, and the longer memory of the chains.
 */
const forward = (c: Config, root: Weights, probe: Probe): Graph => {
  const w = root.at('model');
  const fed = inputsOf(c);
  const { groups, labels, past, variates, chains, labelled, fresh, prefix, own } = fed;
  const isLabelled = hasLabels(w);
  const length = isLabelled ? addDims(labelled, fresh) : fresh;
  w.unused('transformer.rotary_emb.freqs', [c.embed_dim / c.num_heads / 2]);

  const patches = probe('scaled_inputs', fed.patches);
  const embedded = linear(patches, w.at('patch_embed.projection'), c.embed_dim);
  probe('patch_embedding', embedded);
  const tokens = isLabelled ? concat([labelTokens(labels, w, c), embedded], 3) : embedded;
  const around = {
    ...positions(addDims(prefix, own), length, c),
    timeMask: timeMask(own, length),
    variateMask: variateMask(groups, chains),
    variates,
    chains,
  };
  const rows = rearrange(tokens, 'b v c s d -> (b v) c s d');
  const { state, all, memories } = decoder(rows, w.at('transformer'), c, past, around, probe);
  probe('final_hidden', all);
  const unembedded = linear(state, w.at('unembed'), c.patch_size * c.embed_dim);
  const steps = rearrange(unembedded, 'r c 1 (p d) -> r c p d', { p: c.patch_size });
  probe('unembedded_last_patch', steps);
  const outputs: Record<string, Tensor> = { ...mixture(steps, w.at('output_distribution'), c) };
  memories.forEach(({ key, value }, i) => {
    outputs[`next_key_${i}`] = key;
    outputs[`next_value_${i}`] = value;
  });
  return defineGraph('toto', listed(fed), outputs);
};

export const toto = defineFamily({
  name: 'toto',
  config: Config,
  recognizes: (config, tensors) =>
    'spacewise_every_n_layers' in config && tensors.has('model.patch_embed.projection.weight'),
  graphs: (c, w, probe) => ({ forward: forward(c, w, probe) }),
  capabilities: ({ patch_size }) => ({
    covariates: {
      ...NO_COVARIATES,
      past_covariates_numeric: true,
      future_covariates_numeric: true,
    },
    contextLength: CONTEXT_LENGTH,
    nativeHorizon: patch_size,
    maxHorizon: null,
    quantiles: [],
    multivariate: true,
    samples: true,
  }),
  forecast,
  // Small layers whose softplus and softmax shape the tails.
  keepFloat32: /output_distribution/,
});
