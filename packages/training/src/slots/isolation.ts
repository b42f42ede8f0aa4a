/**
 * Isolation as a fact of the graph (spec/training.md, section 6): does a path lead from what a seed adds back into
 * its host? It costs nothing at run time and holds for all numbers.
 */
import { type Graph, parametersOf, reaches } from '@tollama/graph';
import type { Planted, PlantedSeed } from './plant.ts';

/** A parameter of the host that a seed's change sends a gradient to. */
export interface Leak {
  readonly seed: string;
  readonly parameter: string;
}

const leaksOf = (graph: Graph, { id, tensors, changes }: PlantedSeed): readonly Leak[] => {
  const own = new Set(tensors.map(({ name }) => name));
  const host = parametersOf(graph).filter(({ name }) => !own.has(name));
  const reached = host.filter((parameter) => changes.some((change) => reaches(change, parameter)));
  return [...new Set(reached.map(({ name }) => name))].map((parameter) => ({
    seed: id,
    parameter,
  }));
};

/** All leaks of the seeds; none where every seed is isolated. An earlier seed on the way counts as host. */
export const leaks = ({ graph, seeds }: Planted): readonly Leak[] =>
  seeds.flatMap((seed) => leaksOf(graph, seed));
