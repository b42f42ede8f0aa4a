/**
 * The distributions that Lag-Llama's last state can give of the next value (gluonts, torch/distributions; for `iqn`
 * gluon_utils/gluon_ts_distributions/implicit_quantile_network.py). The published model has Student's t.
 */
import {
  add,
  constant,
  cos,
  maximum,
  minimum,
  mul,
  rearrange,
  softplus,
  type Tensor,
  type Weights,
  widthOf,
} from '@tollama/graph';
import { linear } from '../../nn/linear.ts';
import { drawNegativeBinomial } from '../../probability/negative-binomial.ts';
import { drawStudentT } from '../../probability/student-t.ts';
import type { RandomSource } from '../../random/random-source.ts';
import type { Config } from './config.ts';
import type { RobustScale } from './robust-scaler.ts';

/** The distribution of a value: what the head gives, and how to come back from there. */
export interface NextValue {
  /** By the names of the head's outputs. */
  readonly parameters: Readonly<Record<string, number>>;
  readonly affine: RobustScale;
}

export interface Head {
  /** The parameters of the distribution, in the order of the reference. */
  readonly outputs: readonly string[];
  /** Whether the network itself turns a level in [0, 1) into the value, so that the levels are drawn before it runs. */
  readonly isImplicit: boolean;
  /** x [r, 1, d], levels [r, n] of an implicit head -> [r] each, [r, n] of an implicit head */
  readonly graph: (x: Tensor, w: Weights, levels: Tensor) => Readonly<Record<string, Tensor>>;
  /** The mean in raw units; NaN where the network does not tell one. */
  readonly mean: (value: NextValue) => number;
  /** A draw in raw units. */
  readonly draw: (value: NextValue, source: RandomSource) => number;
}

/** float32's epsilon, the least scale of a distribution. */
const EPSILON = 2 ** -23;

const project = (x: Tensor, w: Weights, i: number): Tensor =>
  rearrange(linear(x, w.at(`proj.${i}`), 1), 'r 1 1 -> r');

const inRawUnits = (value: number, { loc, scale }: RobustScale): number => value * scale + loc;

const studentT: Head = {
  outputs: ['df', 'p_loc', 'p_scale'],
  isImplicit: false,
  graph: (x, w) => ({
    df: add(softplus(project(x, w, 0)), 2),
    p_loc: project(x, w, 1),
    p_scale: maximum(softplus(project(x, w, 2)), EPSILON),
  }),
  mean: ({ parameters, affine }) => inRawUnits(parameters.p_loc!, affine),
  draw: ({ parameters: { df, p_loc, p_scale }, affine }, source) =>
    inRawUnits(p_loc! + p_scale! * drawStudentT(df!, source), affine),
};

/** Counts cannot be stretched: the scale moves the logits, and what was taken off the values is not added again. */
const scaledLogits = ({ parameters, affine }: NextValue): number =>
  parameters.logits! + Math.log(affine.scale);

const negativeBinomial: Head = {
  outputs: ['total_count', 'logits'],
  isImplicit: false,
  graph: (x, w) => ({ total_count: softplus(project(x, w, 0)), logits: project(x, w, 1) }),
  mean: (value) => value.parameters.total_count! * Math.exp(scaledLogits(value)),
  draw: (value, source) =>
    drawNegativeBinomial(
      { count: value.parameters.total_count!, logits: scaledLogits(value) },
      source,
    ),
};

/** x where it is positive, a learned share of it elsewhere. */
const leaky = (x: Tensor, w: Weights): Tensor =>
  add(maximum(x, 0), mul(w.get('weight', [1]), minimum(x, 0)));

/** Cosines of the level -> what each feature of the state is multiplied by, [r, n] -> [r, n, d] */
const levelEmbedding = (levels: Tensor, w: Weights, width: number, cosines: number): Tensor => {
  const rates = constant(Array.from({ length: cosines }, (_, i) => i * Math.PI));
  const waves = cos(mul(rearrange(levels, 'r n -> r n 1'), rates));
  const hidden = leaky(linear(waves, w.at('0'), cosines), w.at('1'));
  return linear(hidden, w.at('2'), width);
};

const implicitQuantiles = (cosines: number, domain: 'positive' | null): Head => ({
  outputs: ['quantile'],
  isImplicit: true,
  graph: (x, w, levels) => {
    const width = widthOf(x);
    const scale = levelEmbedding(levels, w.at('quantile_layer.output_layer'), width, cosines);
    const state = mul(x, add(scale, 1));
    const hidden = leaky(linear(state, w.at('output_layer.0'), width), w.at('output_layer.1'));
    const quantile = rearrange(linear(hidden, w.at('proj.0'), 1), 'r n 1 -> r n');
    return { quantile: domain === 'positive' ? softplus(quantile) : quantile };
  },
  mean: () => Number.NaN,
  draw: ({ parameters, affine }) => inRawUnits(parameters.quantile!, affine),
});

/** The head that a checkpoint names. */
export const headOf = ({ model_kwargs: { distr_output: head } }: Config): Head => {
  switch (head.kind) {
    case 'studentT':
      return studentT;
    case 'neg_bin':
      return negativeBinomial;
    case 'iqn':
      return implicitQuantiles(head.cosines, head.domain);
  }
};
