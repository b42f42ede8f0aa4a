/** The mixtures of Student-t distributions that Toto 1.0 gives, one for each step of a patch. */
import type { TensorValue } from '@tollama/graph';
import { drawStudentT, studentTLogDensity } from '../../probability/student-t.ts';
import type { RandomSource } from '../../random/random-source.ts';
import { type PatchScales, scaleAt } from './scaler.ts';

/** The mixtures of one patch: [P * K] each, standardised, and how to come back from there. */
export interface PatchMixture {
  readonly df: Float32Array;
  readonly loc: Float32Array;
  readonly scale: Float32Array;
  readonly probs: Float32Array;
  readonly components: number;
  readonly affine: PatchScales;
}

/** The mixtures of row `index` of the graph's outputs, [..., P, K] each. */
export const patchMixture = (
  outputs: Readonly<Record<string, TensorValue>>,
  index: number,
  affine: PatchScales,
): PatchMixture => {
  const [steps, components] = outputs.df!.dims.slice(-2) as [number, number];
  const size = steps * components;
  const part = (name: string): Float32Array =>
    (outputs[name]!.data as Float32Array).subarray(index * size, (index + 1) * size);
  return {
    df: part('df'),
    loc: part('loc'),
    scale: part('scale'),
    probs: part('probs'),
    components,
    affine,
  };
};

const stepsOf = ({ probs, components }: PatchMixture): number => probs.length / components;

/** Half of the largest float32. */
const EXTREME = 1.7014117331926443e38;

/** Values near the end of float32 and beyond become 0 (toto, data/util/dataset.py, `replace_extreme_values`). */
const orZero = (value: number): number => (Math.abs(Math.fround(value)) < EXTREME ? value : 0);

/** The mean at each step. */
export const mixtureMean = (mixture: PatchMixture): Float32Array => {
  const { probs, loc, components, affine } = mixture;
  return Float32Array.from({ length: stepsOf(mixture) }, (_, step) => {
    let mean = 0;
    for (let k = step * components; k < (step + 1) * components; k++) mean += probs[k]! * loc[k]!;
    const to = scaleAt(affine, step);
    return orZero(mean * to.scale + to.loc);
  });
};

/** A draw at each step, independent of the others: a component by its share, then a value of it. */
export const drawMixture = (mixture: PatchMixture, source: RandomSource): Float32Array => {
  const { probs, df, loc, scale, components, affine } = mixture;
  return Float32Array.from({ length: stepsOf(mixture) }, (_, step) => {
    const last = (step + 1) * components - 1;
    let k = step * components;
    for (let rest = source.uniform() - probs[k]!; rest > 0 && k < last; rest -= probs[k]!) k++;
    const drawn = loc[k]! + scale[k]! * drawStudentT(df[k]!, source);
    const to = scaleAt(affine, step);
    return orZero(drawn * to.scale + to.loc);
  });
};

/** The logarithm of the density at `value`, on the scale of the series, for each step. */
export const mixtureLogDensity = (mixture: PatchMixture, value: number): Float64Array => {
  const { probs, df, loc, scale, components, affine } = mixture;
  return Float64Array.from({ length: stepsOf(mixture) }, (_, step) => {
    const to = scaleAt(affine, step);
    const at = (value - to.loc) / to.scale;
    const terms = Array.from({ length: components }, (_, i) => {
      const k = step * components + i;
      const component = { df: df[k]!, loc: loc[k]!, scale: scale[k]! };
      return Math.log(probs[k]!) + studentTLogDensity(at, component);
    });
    const largest = Math.max(...terms);
    const sum = terms.reduce((total, term) => total + Math.exp(term - largest), 0);
    return largest + Math.log(sum) - Math.log(to.scale);
  });
};
