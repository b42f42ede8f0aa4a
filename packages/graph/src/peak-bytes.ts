/** How much memory a run of a graph needs, from its structure alone. */
import { evaluateDim } from './dimension.ts';
import { DTYPES } from './dtype.ts';
import { type Graph, topologicalOrder } from './graph.ts';
import type { Node } from './node.ts';

/** Kinds that give their input's memory another shape, or stand for it. */
const VIEWS: ReadonlySet<Node['kind']> = new Set(['reshape', 'stopGradient', 'constant', 'size']);

/**
 * The most bytes that hold tensors at one time when nodes run in order and a tensor is freed after its last use.
 * Inputs and outputs stay; frozen parameters, which are mapped, do not count. What an operator needs within itself is
 * not seen, so that the true peak lies above.
 *
 * @param sizes of the symbols of the graph's inputs
 */
export const peakBytes = (graph: Graph, sizes: ReadonlyMap<string, number>): number => {
  const nodes = topologicalOrder(graph.outputs.values());
  const outputs = new Set<Node>(graph.outputs.values());
  const bytesOf = (node: Node): number =>
    node.kind === 'parameter' || VIEWS.has(node.kind)
      ? 0
      : node.shape.reduce<number>((size, dim) => size * evaluateDim(dim, sizes), 1) *
        DTYPES[node.dtype].sizeBytes;
  const lastUse = new Map<Node, number>();
  // A view keeps what it looks at: its uses are uses of that.
  const ownerOf = (node: Node): Node =>
    (node.kind === 'reshape' || node.kind === 'stopGradient') && node.inputs[0]
      ? ownerOf(node.inputs[0])
      : node;
  nodes.forEach((node, at) => {
    for (const used of node.inputs) lastUse.set(ownerOf(used), at);
  });
  for (const node of outputs) lastUse.set(ownerOf(node), nodes.length);
  const freedAt = Map.groupBy(lastUse.keys(), (node) => lastUse.get(node)!);
  let held = 0;
  let peak = 0;
  nodes.forEach((node, at) => {
    held += bytesOf(node);
    peak = Math.max(peak, held);
    for (const done of freedAt.get(at) ?? []) if (done.kind !== 'input') held -= bytesOf(done);
  });
  return peak;
};
