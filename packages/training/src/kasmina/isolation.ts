/** Proofs that a seed in training leaves its host alone: of the graph's structure, and by numbers. */
import type { Feeds, Graph, Node } from '@tollama/graph';
import type { TrainingStep } from '../step/training-step.ts';

const isOf = (id: string, name: string): boolean => name.endsWith(`.${id}.weight`);

/** The parameters that gradients reach from a node, stop-gradients ending the paths. */
const reachedFrom = (start: readonly Node[]): ReadonlySet<string> => {
  const reached = new Set<string>();
  const seen = new Set<Node>();
  const stack = [...start];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node) || node.kind === 'stopGradient') continue;
    seen.add(node);
    if (node.kind === 'parameter') reached.add(node.name);
    stack.push(...node.inputs);
  }
  return reached;
};

/**
 * Parameters that a seed's contribution would train beside its own: none, when it is isolated. A property of the
 * graph, which no batch can change. Each use of a seed's tensor is where its contribution begins; whatever is reached
 * from there against the direction of the forward pass gets a gradient through the seed.
 */
export const leaksOf = (graph: Graph, seedId: string): readonly string[] => {
  const uses = graph.nodes.filter((node) =>
    node.inputs.some((x) => x.kind === 'parameter' && isOf(seedId, x.name)),
  );
  return [...reachedFrom(uses)].filter((name) => !isOf(seedId, name));
};

/** Entries of a tensor that a probe looks at. */
const SAMPLES = 256;

/** Evenly spread places, each tensor's own, the same in every probe. */
const places = (length: number): readonly number[] => {
  if (length <= SAMPLES) return Array.from({ length }, (_, i) => i);
  return Array.from({ length: SAMPLES }, (_, i) => Math.floor(((i + 0.5) * length) / SAMPLES));
};

export interface ProbeOptions {
  readonly batch: Feeds;
  readonly hostNames: Iterable<string>;
  readonly alpha: Readonly<Record<string, number>>;
}

/**
 * Host tensors whose gradient with the seed differs from the one without it, by as little as a bit.
 * @param seeded the step with the seed in TRAINING
 * @param bare the same without it, over the same values
 */
export const probeIsolation = async (
  seeded: TrainingStep,
  bare: TrainingStep,
  { batch, hostNames, alpha }: ProbeOptions,
): Promise<readonly string[]> => {
  const withSeed = await seeded.gradients(batch, { alpha });
  const without = await bare.gradients(batch, { alpha });
  return [...hostNames].filter((name) => {
    const a = withSeed.gradients.get(name)?.data as Float32Array | undefined;
    const b = without.gradients.get(name)?.data as Float32Array | undefined;
    if (!a || !b) return a !== b;
    return places(a.length).some((at) => !Object.is(a[at], b[at]));
  });
};
