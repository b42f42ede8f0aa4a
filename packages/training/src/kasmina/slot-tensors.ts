/** What a blueprint needs in a slot: names, shapes, how many numbers. */
import type { Graph, TensorValue } from '@tollama/graph';
import type { Tensors } from '../prefetch/adapter-loader.ts';
import { linearSlots } from '../slots/linear-slots.ts';
import { matchModules } from '../slots/match-modules.ts';
import { type SeedTensor, savedName, seedTensors } from '../slots/seed.ts';
import { type Slot, seedBlueprint, targetsOf } from './seed-plan.ts';

export const tensorsOf = (
  graph: Graph,
  slot: Slot,
  blueprint: string,
  id: string,
): readonly SeedTensor[] => {
  const slots = linearSlots(graph);
  const targets = targetsOf(slot, blueprint);
  const matched = new Set(
    matchModules(
      slots.map(({ module }) => module),
      targets,
    ),
  );
  return slots
    .filter(({ module }) => matched.has(module))
    .flatMap((one) => seedTensors(seedBlueprint(blueprint), id, one));
};

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export const parameterCount = (graph: Graph, slot: Slot, blueprint: string): number =>
  tensorsOf(graph, slot, blueprint, 'any').reduce((sum, { shape }) => sum + sizeOf(shape), 0);

/** Names as an adapter file has them, without the seed's id. */
export const fileShapes = (
  graph: Graph,
  slot: Slot,
  blueprint: string,
): ReadonlyMap<string, readonly number[]> =>
  new Map(
    tensorsOf(graph, slot, blueprint, 'any').map(({ name, shape }) => [
      savedName(name, 'any'),
      shape,
    ]),
  );

/** The values of an adapter file under the names of one seed. */
export const seedValues = (
  tensors: readonly SeedTensor[],
  id: string,
  file: Tensors,
): ReadonlyMap<string, TensorValue> =>
  new Map(tensors.map(({ name }) => [name, file.get(savedName(name, id))!]));
