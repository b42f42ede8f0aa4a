import {
  defineGraph,
  fromCheckpoint,
  openCheckpoint,
  openSession,
  type Tensor,
  type TensorValue,
  topologicalOrder,
  verifyGraph,
} from '@tollama/graph';
import { readConfig } from '@tollama/models';

export type Values = Readonly<Record<string, TensorValue>>;

/** Runs one graph of a checkpoint on inputs of the caller's own: its outputs and inner points by name. */
export const inspectGraph = async (
  folder: string,
  name: string,
  feeds: Values,
): Promise<Values> => {
  const checkpoint = await openCheckpoint(folder);
  const { family, config } = await readConfig(folder, checkpoint.tensors);
  const probes: Record<string, Tensor> = {};
  const weights = fromCheckpoint(checkpoint.tensors);
  const graphs = family.graphs(config, weights, (point, tensor) => {
    probes[point] = tensor;
    return tensor;
  });
  const graph = graphs[name]!;
  // What nobody reads further on is looked at as well, where the graph's inputs tell it.
  const isInput = new Set<Tensor>(graph.inputs);
  const inner = Object.entries(probes).filter(([, tensor]) =>
    topologicalOrder([tensor]).every((node) => node.kind !== 'input' || isInput.has(node)),
  );
  const outputs = { ...Object.fromEntries(inner), ...Object.fromEntries(graph.outputs) };
  const whole = verifyGraph(defineGraph(name, graph.inputs, outputs));
  await using session = await openSession(whole, { checkpoint, threads: 1 });
  return await session.run(feeds);
};
