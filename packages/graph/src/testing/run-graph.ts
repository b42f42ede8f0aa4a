/** For tests: computes a little graph through a real session, with or without parameters of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DType } from '../dtype.ts';
import { defineGraph, type Graph, topologicalOrder } from '../graph.ts';
import type { ConstantNode, Tensor } from '../node.ts';
import { constant } from '../ops.ts';
import { type Checkpoint, openCheckpoint, SINGLE_FILE } from '../safetensors/checkpoint.ts';
import { writeSafetensors } from '../safetensors/write.ts';
import type { Feeds, TensorValue } from '../session/feeds.ts';
import type { SessionOptions } from '../session/options.ts';
import { openSession } from '../session/session.ts';
import { verifyGraph } from '../verify.ts';

/**
 * A value to feed, or to store as a parameter.
 *
 * @example
 * tensorOf([2, 2], [1, 2, 3, 4]);
 */
export const tensorOf = (
  dims: readonly number[],
  numbers: readonly number[],
  dtype: DType = 'float32',
): TensorValue => {
  const { data } = constant(numbers, dtype, dims) as ConstantNode;
  return { dtype, dims, data };
};

/** The numbers of a value, int64 ones too. */
export const numbersOf = (value: TensorValue): number[] => Array.from(value.data, Number);

/** A folder that is gone when the test is over. */
export const withFolder = async <Result>(
  use: (folder: string) => Promise<Result>,
): Promise<Result> => {
  const folder = await mkdtemp(join(tmpdir(), 'tollama-test-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** A checkpoint of these tensors in the folder. */
export const writeCheckpoint = async (
  folder: string,
  parameters: Readonly<Record<string, TensorValue>>,
): Promise<Checkpoint> => {
  const specs = Object.entries(parameters).map(
    ([name, { dtype, dims }]) => [name, { dtype, shape: dims }] as const,
  );
  await writeSafetensors(
    join(folder, SINGLE_FILE),
    new Map(specs),
    (name) => parameters[name]!.data,
  );
  return openCheckpoint(folder);
};

export interface RunGraphOptions extends Partial<SessionOptions> {
  /** Written as the graph's checkpoint. */
  readonly parameters?: Readonly<Record<string, TensorValue>>;
}

/** Verifies a graph and runs it once on one thread. */
export const runGraph = async (
  graph: Graph,
  feeds: Feeds = {},
  { parameters, ...options }: RunGraphOptions = {},
): Promise<Readonly<Record<string, TensorValue>>> => {
  verifyGraph(graph);
  return withFolder(async (folder) => {
    const checkpoint = parameters && (await writeCheckpoint(folder, parameters));
    await using session = await openSession(graph, {
      threads: 1,
      ...(checkpoint && { checkpoint }),
      ...options,
    });
    return await session.run(feeds);
  });
};

export interface EvaluateOptions extends RunGraphOptions {
  /** Inputs of the graph, where the tensor alone does not tell them all. */
  readonly inputs?: readonly Tensor[];
}

/**
 * The value of one tensor; the graph's inputs are the ones that it needs.
 *
 * @example
 * const x = input('x', ['n']);
 * await evaluate(mul(x, 2), { x: tensorOf([3], [1, 2, 3]) });
 */
export const evaluate = async (
  tensor: Tensor,
  feeds: Feeds = {},
  { inputs, ...options }: EvaluateOptions = {},
): Promise<TensorValue> => {
  const needed = topologicalOrder([tensor]).filter((node) => node.kind === 'input');
  const { y } = await runGraph(
    defineGraph('test', inputs ?? needed, { y: tensor }),
    feeds,
    options,
  );
  return y!;
};
