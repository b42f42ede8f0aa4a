import { fromCheckpoint, openCheckpoint, openSession } from '@tollama/graph';
import { type RunGraph, readConfig } from '@tollama/models';

export interface OpenGraphs extends AsyncDisposable {
  readonly config: unknown;
  readonly run: RunGraph;
}

/** The graphs of a checkpoint, for functions of a family that are below its forecast. */
export const openGraphs = async (folder: string): Promise<OpenGraphs> => {
  const checkpoint = await openCheckpoint(folder);
  const { family, config } = await readConfig(folder, checkpoint.tensors);
  const graphs = family.graphs(config, fromCheckpoint(checkpoint.tensors), (_, tensor) => tensor);
  const sessions = new Map(
    await Promise.all(
      Object.entries(graphs).map(
        async ([name, graph]) =>
          [name, await openSession(graph, { checkpoint, threads: 1 })] as const,
      ),
    ),
  );
  return {
    config,
    run: (graph, feeds, outputs) => sessions.get(graph)!.run(feeds, outputs),
    async [Symbol.asyncDispose]() {
      await Promise.all([...sessions.values()].map((session) => session[Symbol.asyncDispose]()));
    },
  };
};
