/** A checkpoint as ONNX files that stand alone: the graphs that its forecasts use, with an example of each. */
import { mkdir } from 'node:fs/promises';
import { didYouMean } from '@tollama/core/did-you-mean';
import { TollamaError } from '@tollama/core/errors';
import {
  type Checkpoint,
  fromCheckpoint,
  type Graph,
  openCheckpoint,
  type Precision,
  type SelfContainedModel,
  sizesOfFeeds,
  type WeightPlace,
  writeSelfContained,
} from '@tollama/graph';
import { openAdapter } from '../adapter/adapter.ts';
import type { Family } from '../family.ts';
import { openModel } from '../open-model.ts';
import { readConfig } from '../read-config.ts';
import { type RecordedExample, type RecordedRun, recordExample } from './record-example.ts';

export interface ExportModelRequest {
  /** The checkpoint's folder. */
  readonly folder: string;
  readonly adapter?: string | undefined;
  readonly precision: Precision;
  readonly weights: WeightPlace;
  /** Fixes all sizes to those of the example. */
  readonly isFixed: boolean;
  /** Series, points and steps of the example; what the model is made for when absent. */
  readonly batch?: number | undefined;
  readonly context?: number | undefined;
  readonly horizon?: number | undefined;
  /** Graphs of the family to export; those that the example used when absent. */
  readonly graphs?: readonly string[] | undefined;
  /** Where the files go, told once it is known whether the model is one graph. */
  readonly output: (facts: ExportFacts) => string | Promise<string>;
}

export interface ExportFacts {
  readonly family: string;
  readonly capabilities: Awaited<ReturnType<typeof openModel>>['capabilities'];
  /** Whether a forecast of the native horizon is one run of one graph that keeps no state. */
  readonly isOnePass: boolean;
  /** Absent where the checkpoint wants covariates that nobody can make up. */
  readonly example: RecordedExample | undefined;
}

export interface ExportedGraph {
  readonly name: string;
  readonly model: SelfContainedModel;
  /** Absent for a graph that the example did not use. */
  readonly example: RecordedRun | undefined;
}

export interface ExportedModel extends ExportFacts {
  readonly graphs: readonly ExportedGraph[];
  /** The folder that was written to. */
  readonly output: string;
}

const EXAMPLE_CONTEXT = 512;
const EXAMPLE_HORIZON = 64;

interface Sources {
  readonly family: Family;
  readonly checkpoint: Checkpoint;
  readonly graphs: ReadonlyMap<string, Graph>;
}

const openSources = async ({ folder, adapter: path }: ExportModelRequest): Promise<Sources> => {
  const base = await openCheckpoint(folder);
  const { family, config } = await readConfig(folder, base.tensors, base.hyperParameters);
  const adapter = path === undefined ? undefined : await openAdapter(path, base);
  const weights = adapter?.weights ?? fromCheckpoint(base.tensors);
  const made = Object.entries(family.graphs(config, weights, (_, tensor) => tensor));
  const graphs = made.map(([name, graph]) => [name, adapter?.rewrite?.(graph) ?? graph] as const);
  return { family, checkpoint: adapter?.checkpoint ?? base, graphs: new Map(graphs) };
};

const holdsState = ({ feeds }: RecordedRun): boolean =>
  Object.values(feeds).some(({ data }) => data.length === 0);

/** Runs the example through the model as it is, in the precision that is asked for. */
const factsOf = async (
  request: ExportModelRequest,
  family: Family,
  graphCount: number,
): Promise<ExportFacts> => {
  const { folder, adapter, precision, batch = 1 } = request;
  await using model = await openModel(folder, { threads: 1, adapter, precision });
  const { capabilities } = model;
  const longest = Math.min(capabilities.contextLength ?? EXAMPLE_CONTEXT, EXAMPLE_CONTEXT);
  const context = request.context ?? longest;
  const native = capabilities.nativeHorizon ?? capabilities.maxHorizon ?? EXAMPLE_HORIZON;
  const horizon = request.horizon ?? Math.min(native, EXAMPLE_HORIZON);
  const example = await recordExample(model, family, { batch, context, horizon }).catch(
    (error: unknown) => {
      // A checkpoint made for covariates has no example of one plain series.
      if (error instanceof TollamaError && error.code === 'INVALID_REQUEST') return undefined;
      throw error;
    },
  );
  const runs = [...(example?.runs.values() ?? [])];
  const isOnePass = example ? example.runCount === 1 && !runs.some(holdsState) : graphCount === 1;
  return { family: family.name, capabilities, isOnePass, example };
};

const refuseGraph = (name: string, known: Iterable<string>): never => {
  const near = didYouMean(name, known);
  throw new TollamaError('INVALID_REQUEST', `the model has no graph '${name}'`, {
    hint: `${near ? `did you mean '${near}'? ` : ''}its graphs are ${[...known].join(', ')}`,
  });
};

const fixedSizes = (name: string, graph: Graph, run: RecordedRun | undefined) => {
  if (run) return sizesOfFeeds(graph, run.feeds);
  throw new TollamaError(
    'INVALID_REQUEST',
    `graph '${name}': its sizes cannot be fixed, a forecast of one series does not use it`,
    { hint: 'use --sizes symbolic' },
  );
};

/**
 * Writes the graphs of a checkpoint as ONNX models without ties to its files.
 *
 * @throws TollamaError INVALID_REQUEST for a graph or a size that the model lacks, CHECKPOINT_INVALID and
 *   MODEL_UNSUPPORTED as `openModel`
 * @example
 * await exportModel({ folder: 'chronos-bolt-small', precision: 'float32', weights: 'auto', isFixed: false, output: () => 'out' });
 */
export const exportModel = async (request: ExportModelRequest): Promise<ExportedModel> => {
  const { precision, weights, isFixed } = request;
  const { family, checkpoint, graphs } = await openSources(request);
  for (const name of request.graphs ?? []) {
    if (!graphs.has(name)) refuseGraph(name, graphs.keys());
  }
  const facts = await factsOf(request, family, graphs.size);
  const output = await request.output(facts);
  await mkdir(output, { recursive: true });
  const names = request.graphs ?? [...(facts.example?.runs ?? graphs).keys()];
  const exported: ExportedGraph[] = [];
  for (const name of names) {
    const graph = graphs.get(name)!;
    const example = facts.example?.runs.get(name);
    const sizes = isFixed ? fixedSizes(name, graph, example) : new Map<string, number>();
    const { keepFloat32 } = family;
    const file = names.length === 1 ? 'model' : name;
    const model = await writeSelfContained(graph, {
      checkpoint,
      precision,
      keepFloat32,
      weights,
      sizes,
      folder: output,
      name: file,
    });
    exported.push({ name, model, example });
  }
  return { ...facts, graphs: exported, output };
};
