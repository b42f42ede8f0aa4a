/**
 * Toto 2.0: a decoder over patches of many series at once, in which layers that look back in time take
 * turns with layers that look across the variates. All layers are unit-scaled (u-muP), and the state of
 * each patch gives nine quantiles of every step of the next one.
 *
 * Paper        Khwaja et al., "Toto 2.0: Time Series Forecasting Enters the Scaling Era",
 *              arXiv:2605.20119
 * Reference    github.com/DataDog/toto, toto2/toto2/model.py and dd_unit_scaling (Apache-2.0)
 * Checkpoints  Datadog/Toto-2.0-{4m,22m,313m,1B,2.5B} (Apache-2.0)
 */
import { NO_COVARIATES } from '@tollama/core/capabilities';
import {
  addDims,
  asinh,
  concat,
  type Dim,
  defineGraph,
  type Graph,
  input,
  multiplyDims,
  rearrange,
  sinh,
  slice,
  subtractDims,
  symbol,
  type Tensor,
  type Weights,
} from '@tollama/graph';
import { defineFamily, type Probe } from '../family.ts';
import { CONTEXT_LENGTH, Config, isVariateLayer, LEVELS } from './toto2/config.ts';
import { forecast } from './toto2/forecast.ts';
import {
  decoder,
  type Memory,
  residualMlp,
  rotations,
  timeMask,
  variateMask,
} from './toto2/layers.ts';
import { training } from './toto2/training.ts';

/** Standardised values and marks of missing ones (1) -> tokens. Both [b, v, s, P] -> [b, v, s, d] */
const embed = (values: Tensor, missing: Tensor, w: Weights, c: Config, probe: Probe): Tensor => {
  const patches = probe('patch_proj_input', concat([asinh(values), missing], -1));
  return probe('patch_proj_output', residualMlp(patches, w, c, c.d_model));
};

/** States of patches -> quantiles of the patches after them. x [b, v, n, d] -> [b, v, n, P, 9] */
const head = (x: Tensor, w: Weights, c: Config, probe: Probe): Tensor => {
  const width = c.patch_size * LEVELS.length;
  const raw = residualMlp(x, w.at('param_projection.proj'), c, width, true);
  const split = rearrange(raw, 'b v n (p q) -> b v n p q', { q: LEVELS.length });
  probe('raw_head', rearrange(split, 'b v n p q -> q b v n p'));
  return sinh(split);
};

/** Values and marks of missing ones, [batch, variates, count, P] each. */
type Patches = readonly [values: Tensor, missing: Tensor];

/** What a run is fed: sizes are those of the run. */
interface Inputs {
  readonly knownPatches: Patches;
  readonly futurePatches: Patches;
  readonly pastGroups: Tensor;
  readonly timeGroups: Tensor;
  readonly variateGroups: Tensor;
  /** Keys and values of earlier patches, one pair for each layer that looks back in time. */
  readonly memory: readonly Memory[];
  readonly variates: Dim;
  readonly past: Dim;
  readonly known: Dim;
  readonly length: Dim;
}

const inputsOf = (c: Config): Inputs => {
  const [batch, variates, past, known, future] = (
    ['batch', 'variates', 'past', 'known', 'future'] as const
  ).map(symbol) as [Dim, Dim, Dim, Dim, Dim];
  const length = addDims(known, future);
  const patches = (name: string, count: Dim): Tensor =>
    input(name, [batch, variates, count, c.patch_size]);
  const groups = (name: string, count: Dim): Tensor =>
    input(name, [batch, variates, count], 'int64');
  const rows = multiplyDims(batch, variates);
  const layers = Array.from({ length: c.num_layers }, (_, i) => i);
  return {
    knownPatches: [patches('known_values', known), patches('known_missing', known)],
    futurePatches: [patches('future_values', future), patches('future_missing', future)],
    pastGroups: groups('past_groups', past),
    timeGroups: groups('time_groups', length),
    variateGroups: groups('variate_groups', length),
    memory: layers
      .filter((i) => !isVariateLayer(i, c))
      .map((_, i) => ({
        key: input(`past_key_${i}`, [rows, past, c.num_groups * c.qk_dim]),
        value: input(`past_value_${i}`, [rows, past, c.num_groups * c.v_dim]),
      })),
    ...{ variates, past, known, length },
  };
};

const listed = (fed: Inputs): Tensor[] => [
  ...fed.knownPatches,
  ...fed.futurePatches,
  fed.pastGroups,
  fed.timeGroups,
  fed.variateGroups,
  ...fed.memory.flatMap(({ key, value }) => [key, value]),
];

/**
 * Known patches after remembered ones, and future patches after those -> quantiles of the future patches,
 * standardised, and what a later run shall remember: keys and values without those of the future.
 */
const forward = (c: Config, w: Weights, probe: Probe): Graph => {
  const fed = inputsOf(c);
  const { knownPatches, futurePatches, variates, past, known, length } = fed;
  const values = concat([knownPatches[0], futurePatches[0]], 2);
  const missing = concat([knownPatches[1], futurePatches[1]], 2);
  const tokens = embed(values, missing, w.at('patch_proj'), c, probe); // [b, v, s, d]
  const around = {
    ...rotations(past, length, c),
    timeMask: timeMask(concat([fed.pastGroups, fed.timeGroups], 2), past),
    variateMask: variateMask(fed.variateGroups),
    variates,
  };
  const rows = rearrange(tokens, 'b v s d -> (b v) s d');
  const done = decoder(rows, w.at('transformer'), c, fed.memory, around, probe);
  const state = rearrange(probe('final_hidden', done.state), '(b v) s d -> b v s d', {
    v: variates,
  });

  // The state of a patch tells of the next one: the last known patch of the first future one.
  const told = slice(state, 2, { start: subtractDims(known, 1), end: subtractDims(length, 1) });
  const outputs: Record<string, Tensor> = {
    quantiles: head(told, w.at('output_head'), c, probe),
  };
  done.memories.forEach(({ key, value }, i) => {
    const kept = (x: Tensor): Tensor => slice(x, 1, { end: addDims(past, known) });
    outputs[`next_key_${i}`] = kept(key);
    outputs[`next_value_${i}`] = kept(value);
  });
  return defineGraph('toto2', listed(fed), outputs);
};

export const toto2 = defineFamily({
  name: 'toto2',
  config: Config,
  recognizes: (config, tensors) =>
    'num_variate_layers_per_group' in config && tensors.has('patch_proj.skip_proj.weight'),
  graphs: (c, w, probe) => ({ forward: forward(c, w, probe) }),
  capabilities: () => ({
    covariates: {
      ...NO_COVARIATES,
      past_covariates_numeric: true,
      future_covariates_numeric: true,
    },
    contextLength: CONTEXT_LENGTH,
    nativeHorizon: null,
    maxHorizon: null,
    quantiles: [...LEVELS],
    multivariate: true,
    samples: false,
  }),
  forecast,
  training,
});
