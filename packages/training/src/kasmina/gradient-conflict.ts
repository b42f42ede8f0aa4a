/**
 * Whether two seeds in the same layers pull against each other. Their tensors have nothing in common, what they do to
 * the weight has: a step along its gradients moves a seed's change of the weight by dW, and the two agree as their dW
 * do. A negative cosine is a conflict (the dot products of Yu et al. 2020, whose projection is not done).
 */
import type { Graph, TensorValue } from '@tollama/graph';
import { type LinearSlot, linearSlots } from '../slots/linear-slots.ts';
import { matchModules } from '../slots/match-modules.ts';
import type { Seed } from '../slots/plant.ts';
import { type SeedBlueprint, seedTensors } from '../slots/seed.ts';

type Values = ReadonlyMap<string, TensorValue>;

interface Sums {
  readonly dot: number;
  readonly first: number;
  readonly second: number;
}

export interface SeedConflict {
  readonly first: string;
  readonly second: string;
  /** Of the two changes, over all layers that both are in: -1 to 1. */
  readonly cosine: number;
}

/** out += factor a . b for a [rows, rank], b [rank, columns] */
const addProduct = (
  out: Float64Array,
  a: Float32Array,
  b: Float32Array,
  { rank, factor }: { readonly rank: number; readonly factor: number },
): void => {
  const columns = b.length / rank;
  for (let row = 0; row < a.length / rank; row++) {
    for (let r = 0; r < rank; r++) {
      const x = factor * a[row * rank + r]!;
      for (let column = 0; column < columns; column++) {
        out[row * columns + column]! += x * b[r * columns + column]!;
      }
    }
  }
};

const blueprintIn = ({ blueprint }: Seed, { module }: LinearSlot): SeedBlueprint =>
  typeof blueprint === 'function' ? blueprint(module) : blueprint;

/**
 * How a step along a seed's gradients changes a layer's weight, [out, in] flat: s (dB A + B dA) for LoRA, the gradient
 * itself for a head. Undefined for seeds whose change is none of the weight.
 */
export const changeOfWeight = (
  seed: Seed,
  slot: LinearSlot,
  values: Values,
  gradients: Values,
): Float64Array | undefined => {
  const blueprint = blueprintIn(seed, slot);
  if (blueprint.kind !== 'lora' && blueprint.kind !== 'head') return undefined;
  const names = seedTensors(blueprint, seed.id, slot).map(({ name }) => name);
  const of = (from: Values, i: number) => from.get(names[i]!)!.data as Float32Array;
  if (blueprint.kind === 'head') return Float64Array.from(of(gradients, 0));
  const change = new Float64Array(slot.shape[0] * slot.shape[1]);
  const product = { rank: blueprint.rank, factor: blueprint.scaling };
  addProduct(change, of(gradients, 1), of(values, 0), product);
  addProduct(change, of(values, 1), of(gradients, 0), product);
  return change;
};

const sumsOf = (a: Float64Array, b: Float64Array): Sums => {
  let [dot, first, second] = [0, 0, 0];
  a.forEach((x, i) => {
    dot += x * b[i]!;
    first += x * x;
    second += b[i]! * b[i]!;
  });
  return { dot, first, second };
};

/**
 * The cosine of every two seeds that are in a layer together. Pairs without such a layer, or without a gradient, are
 * left out.
 *
 * @param graph of the host, which has the layers
 */
export const conflictsOf = (
  graph: Graph,
  seeds: readonly Seed[],
  values: Values,
  gradients: Values,
): readonly SeedConflict[] => {
  if (seeds.length < 2) return [];
  const slots = linearSlots(graph);
  const names = slots.map(({ module }) => module);
  const placed = seeds.map((seed) => {
    const own = new Set(matchModules(names, seed.targets, seed.exclude));
    const at = slots.filter(({ module }) => own.has(module));
    return { seed, slots: at };
  });
  return placed.flatMap(({ seed, slots: own }, i) =>
    placed.slice(i + 1).flatMap((other): SeedConflict[] => {
      const shared = own.filter((slot) => other.slots.includes(slot));
      const sums = shared.flatMap((slot) => {
        const first = changeOfWeight(seed, slot, values, gradients);
        const second = changeOfWeight(other.seed, slot, values, gradients);
        return first && second ? [sumsOf(first, second)] : [];
      });
      const total = (key: keyof Sums): number => sums.reduce((sum, one) => sum + one[key], 0);
      const cosine = total('dot') / Math.sqrt(total('first') * total('second'));
      return Number.isFinite(cosine) ? [{ first: seed.id, second: other.seed.id, cosine }] : [];
    }),
  );
};
