/**
 * Puts seeds into linear layers of any family's graph. The family knows nothing of it: the layers are found by
 * the names of their weights and a seed runs beside them, so that no frozen weight needs a gradient.
 */
import { TollamaError } from '@tollama/core/errors';
import {
  add,
  cast,
  type Graph,
  input,
  type LinearNode,
  matmul,
  mul,
  type Node,
  parameter,
  rewriteGraph,
  stopGradient,
  sub,
  type Tensor,
  type TensorValue,
  withInputs,
} from '@tollama/graph';
import { doraWeight } from '@tollama/models/adapter/dora';
import { blend } from './blend.ts';
import { type LinearSlot, linearSlots, moduleOf, parameterOf } from './linear-slots.ts';
import { matchModules, type TargetModules } from './match-modules.ts';
import { type SeedBlueprint, type SeedTensor, seedChange, seedTensors } from './seed.ts';

/**
 * How a seed is joined to its host. 'straight-through' leaves the host's value and gradients as they are
 * (TRAINING); 'residual' adds alpha times the change, 'convex' moves towards the changed value.
 */
export type SeedPath = 'straight-through' | 'residual' | 'convex';

export interface Seed {
  readonly id: string;
  /** One for all of its slots, or by module, as PEFT's rank_pattern and alpha_pattern have it. */
  readonly blueprint: SeedBlueprint | ((module: string) => SeedBlueprint);
  readonly targets: TargetModules;
  readonly exclude?: TargetModules;
  /** 'residual' when absent. */
  readonly path?: SeedPath;
  /** Whether the seed's input is stop-gradiented; true when absent for 'straight-through', else false. */
  readonly isIsolated?: boolean;
  /** Whether alpha is an input of the graph, `alpha.<id>`, which is 1 otherwise. */
  readonly hasAlpha?: boolean;
}

export interface PlantedSeed {
  readonly id: string;
  readonly slots: readonly LinearSlot[];
  /** Its tensors in all slots, which are parameters of the graph. */
  readonly tensors: readonly SeedTensor[];
}

export interface Planted {
  readonly graph: Graph;
  readonly seeds: readonly PlantedSeed[];
}

interface Growing extends Seed {
  readonly bySlot: ReadonlyMap<string, LinearSlot>;
  readonly blueprintOf: (module: string) => SeedBlueprint;
  readonly alpha: Tensor | undefined;
}

const refuse = (message: string): never => {
  throw new TollamaError('INVALID_REQUEST', message);
};

const ID = /^\w[\w-]*$/;

const growing = (seed: Seed, slots: readonly LinearSlot[]): Growing => {
  if (!ID.test(seed.id)) refuse(`seed id '${seed.id}' is no word of letters, digits, _ and -`);
  const { blueprint } = seed;
  const modules = slots.map(({ module }) => module);
  const matched = new Set(matchModules(modules, seed.targets, seed.exclude));
  const own = slots.filter(({ module }) => matched.has(module));
  const hasAlpha = seed.hasAlpha === true && seed.path !== 'straight-through';
  return {
    ...seed,
    bySlot: new Map(own.map((slot) => [slot.module, slot])),
    blueprintOf: typeof blueprint === 'function' ? blueprint : () => blueprint,
    alpha: hasAlpha ? input(`alpha.${seed.id}`, []) : undefined,
  };
};

/** The parameters of a seed in a slot: nodes of one name are one tensor. */
const parametersIn = (seed: Growing, slot: LinearSlot): readonly Tensor[] =>
  seedTensors(seed.blueprintOf(slot.module), seed.id, slot).map(({ name, shape }) =>
    parameter(name, shape, 'float32'),
  );

/** What the seed makes of a linear layer of these inputs (x, weight, bias) that gives y. */
const joined = (
  seed: Growing,
  slot: LinearSlot,
  [x, weight, bias]: readonly Tensor[],
  y: Tensor,
): Tensor => {
  const { path = 'residual', alpha } = seed;
  const isIsolated = seed.isIsolated ?? path === 'straight-through';
  const seen = isIsolated ? { x: stopGradient(x!), y: stopGradient(y) } : { x: x!, y };
  const host = { ...seen, weight: weight!, bias };
  const tensors = parametersIn(seed, slot);
  const blueprint = seed.blueprintOf(slot.module);
  const isConvex = path === 'convex' && alpha !== undefined;
  const change = seedChange(blueprint, { ...host, tensors, alpha: isConvex ? undefined : alpha });
  if (path === 'straight-through') return add(y, sub(change, stopGradient(change)));
  return isConvex ? blend('convex', y, add(seen.y, change), { alpha }) : add(y, change);
};

/** A low-rank change of a weight that does not stand in a linear layer of its own. */
const changedWeight = (seed: Growing, slot: LinearSlot, weight: Tensor): Tensor => {
  const blueprint = seed.blueprintOf(slot.module);
  const isLowRank = blueprint.kind === 'lora' || blueprint.kind === 'dora';
  if (!isLowRank || (seed.path ?? 'residual') !== 'residual') {
    return refuse(`'${slot.module}' is joined with other weights: only residual LoRA fits there`);
  }
  const [a, b, magnitude] = parametersIn(seed, slot) as readonly [Tensor, Tensor, Tensor];
  if (blueprint.kind === 'dora') {
    const whole = doraWeight(weight, { a, b, magnitude }, blueprint.scaling);
    const host = cast(weight, 'float32');
    return seed.alpha ? add(host, mul(sub(whole, host), seed.alpha)) : whole;
  }
  const factor = seed.alpha ? mul(seed.alpha, blueprint.scaling) : undefined;
  const change = matmul(b, factor ? mul(a, factor) : mul(a, blueprint.scaling));
  return add(cast(weight, 'float32'), change);
};

/**
 * The graph with seeds in its slots.
 *
 * @throws TollamaError INVALID_REQUEST when a seed's targets name no linear layer
 * @example
 * const lora = { kind: 'lora', rank: 8, scaling: 2 } as const;
 * const { graph, seeds } = plantSeeds(forward, [{ id: 'a', blueprint: lora, targets: ['q', 'v'] }]);
 */
export const plantSeeds = (graph: Graph, seeds: readonly Seed[]): Planted => {
  const slots = linearSlots(graph);
  const planted = seeds.map((seed) => growing(seed, slots));
  const inSlot = (module: string | undefined, isDirect: boolean) =>
    planted.flatMap((seed) => {
      const slot = module === undefined ? undefined : seed.bySlot.get(module);
      return slot?.isDirect === isDirect ? [{ seed, slot }] : [];
    });
  const rule = (node: Node, inputs: readonly Tensor[]): Tensor => {
    const made = withInputs(node, inputs);
    if (node.kind === 'linear') {
      const weight = parameterOf((node as LinearNode).inputs[1]);
      return inSlot(weight && moduleOf(weight), true).reduce(
        (y, { seed, slot }) => joined(seed, slot, inputs, y),
        made,
      );
    }
    if (node.kind !== 'parameter') return made;
    return inSlot(moduleOf(node), false).reduce(
      (weight, { seed, slot }) => changedWeight(seed, slot, weight),
      made,
    );
  };
  const alphas = planted.flatMap(({ alpha }) => alpha ?? []);
  return {
    graph: rewriteGraph(graph, rule, alphas),
    seeds: planted.map((seed) => ({
      id: seed.id,
      slots: [...seed.bySlot.values()],
      tensors: [...seed.bySlot.values()].flatMap((slot) =>
        seedTensors(seed.blueprintOf(slot.module), seed.id, slot),
      ),
    })),
  };
};

/**
 * First values of a seed's tensors. A fresh seed changes nothing: its last factor is 0, and magnitudes are those of
 * its host, by the names of the host's weights.
 */
export const firstValues = (
  tensors: readonly SeedTensor[],
  uniform: () => number,
  norms: ReadonlyMap<string, TensorValue> = new Map(),
): ReadonlyMap<string, TensorValue> =>
  new Map(
    tensors.map(({ name, shape, bound, rowNormsOf }): [string, TensorValue] => {
      const own = rowNormsOf === undefined ? undefined : norms.get(rowNormsOf);
      if (own) return [name, own];
      if (rowNormsOf !== undefined) {
        throw new TollamaError('INTERNAL', `the rows of '${rowNormsOf}' were not measured`);
      }
      const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
      if (bound > 0) for (let i = 0; i < data.length; i++) data[i] = (2 * uniform() - 1) * bound;
      return [name, { dtype: 'float32', dims: shape, data }];
    }),
  );
