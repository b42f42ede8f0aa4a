import type { ModelFacts } from '@tollama/core/model-facts';
import { fromCheckpoint, openCheckpoint, verifyGraph } from '@tollama/graph';
import { readConfig } from './read-config.ts';

/**
 * What a checkpoint folder holds, found by reading its config and headers and building its graphs; no
 * weight is read and nothing is loaded. Throws what `openModel` would.
 */
export const inspectModel = async (folder: string): Promise<ModelFacts> => {
  const { tensors, sizeBytes, hyperParameters } = await openCheckpoint(folder);
  const { family, config } = await readConfig(folder, tensors, hyperParameters);
  const graphs = family.graphs(config, fromCheckpoint(tensors), (_, tensor) => tensor);
  for (const graph of Object.values(graphs)) verifyGraph(graph);
  const parameters = [...tensors.values()].reduce(
    (sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1),
    0,
  );
  return {
    family: family.name,
    capabilities: family.capabilities(config),
    size_bytes: sizeBytes,
    parameters,
  };
};
