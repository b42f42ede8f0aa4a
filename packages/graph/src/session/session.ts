/** Runs graphs: the only file of the product, beside the runner's entry, that loads onnxruntime. */
import { rm } from 'node:fs/promises';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { DTYPES, type DType, type TensorData } from '../dtype.ts';
import type { Graph } from '../graph.ts';
import { encodeOnnx } from '../onnx/encode.ts';
import { quantizeGraph } from '../quantize/quantize.ts';
import type { Checkpoint } from '../safetensors/checkpoint.ts';
import { locateIn, type ModelFolder, makeModelFolder } from './weight-store.ts';

/** float32 is exact; int8 quantises the weights of linear layers when the graph is made. */
export type Precision = 'float32' | 'int8';

export const PRECISIONS: readonly Precision[] = ['float32', 'int8'];

/** Execution providers of onnxruntime-node, by the names that users know. */
export const DEVICES = ['cpu', 'cuda', 'webgpu', 'coreml', 'dml'] as const;
export type Device = (typeof DEVICES)[number];

/** A value that goes into or comes out of a run. */
export interface TensorValue {
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly data: TensorData;
}

export interface SessionOptions {
  readonly checkpoint: Checkpoint;
  /** Threads within an operator; 1 or more. */
  readonly threads: number;
  readonly precision?: Precision;
  readonly device?: Device;
  /** Linear layers whose weight's name matches stay float32 under int8. */
  readonly keepFloat32?: RegExp | undefined;
  /** Where graph files are kept between runs; a temporary folder when absent. */
  readonly cacheDir?: string | undefined;
  /** Writes onnxruntime's profile of every operator to files of this prefix. */
  readonly profile?: string | undefined;
}

export type Feeds = Readonly<Record<string, TensorValue>>;

export interface Session extends AsyncDisposable {
  readonly device: Device;
  readonly precision: Precision;
  /**
   * Runs the whole graph once.
   * @throws TollamaError INTERNAL when onnxruntime refuses, with its words
   */
  run(feeds: Feeds): Promise<Readonly<Record<string, TensorValue>>>;
}

const loadRuntime = async (): Promise<typeof import('onnxruntime-node')> => {
  try {
    const runtime = await import('onnxruntime-node');
    // The default export is the CommonJS module itself.
    return (
      (runtime as unknown as { default?: typeof import('onnxruntime-node') }).default ?? runtime
    );
  } catch (cause) {
    throw new TollamaError(
      'DEPENDENCY_MISSING',
      `onnxruntime-node does not load: ${errorMessage(cause)}`,
      {
        hint: 'reinstall with `npm install onnxruntime-node`; `tollama doctor` tells more',
        cause,
      },
    );
  }
};

const runtimeOptions = (options: SessionOptions): InferenceSession.SessionOptions => ({
  executionProviders:
    options.device === undefined || options.device === 'cpu' ? ['cpu'] : [options.device, 'cpu'],
  intraOpNumThreads: options.threads,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  logSeverityLevel: 3,
  ...(options.profile === undefined
    ? {}
    : { enableProfiling: true, profileFilePrefix: options.profile }),
});

const toValue = (tensor: OrtTensor): TensorValue => {
  if (!Object.hasOwn(DTYPES, tensor.type)) {
    throw new TollamaError('INTERNAL', `the graph returned a ${tensor.type} tensor`);
  }
  return { dtype: tensor.type as DType, dims: tensor.dims, data: tensor.data as TensorData };
};

/**
 * Makes a graph ready to run: writes its ONNX file beside links to the weights, and maps both.
 *
 * @throws TollamaError DEPENDENCY_MISSING without onnxruntime, GRAPH_INVALID when it refuses the graph
 */
export const openSession = async (graph: Graph, options: SessionOptions): Promise<Session> => {
  const { checkpoint, precision = 'float32', device = 'cpu', cacheDir } = options;
  const locate = locateIn(checkpoint);
  const quantized =
    precision === 'int8' ? quantizeGraph(graph, checkpoint, options.keepFloat32) : undefined;
  const onnx = encodeOnnx(
    quantized?.graph ?? graph,
    (name) => quantized?.locate(name) ?? locate(name),
  );
  const runtime = await loadRuntime();
  const folder = await makeModelFolder({
    checkpoint,
    onnx,
    cacheDir,
    writeSidecars: quantized?.write,
  });
  const session = await createSession(runtime, folder, options, graph.name);

  return {
    device,
    precision,
    async run(feeds) {
      const tensors: Record<string, OrtTensor> = {};
      for (const [name, { dtype, data, dims }] of Object.entries(feeds)) {
        tensors[name] = new runtime.Tensor(dtype as 'float32', data as Float32Array, dims);
      }
      try {
        const results = await session.run(tensors);
        return Object.fromEntries(
          Object.entries(results).map(([name, tensor]) => [name, toValue(tensor)]),
        );
      } catch (cause) {
        throw new TollamaError('INTERNAL', `graph '${graph.name}' failed: ${errorMessage(cause)}`, {
          cause,
        });
      }
    },
    async [Symbol.asyncDispose]() {
      if (options.profile !== undefined) session.endProfiling();
      await session.release();
      if (folder.isTemporary) await rm(folder.path, { recursive: true, force: true });
    },
  };
};

const createSession = async (
  runtime: typeof import('onnxruntime-node'),
  folder: ModelFolder,
  options: SessionOptions,
  name: string,
): Promise<InferenceSession> => {
  try {
    return await runtime.InferenceSession.create(folder.modelFile, runtimeOptions(options));
  } catch (cause) {
    if (folder.isTemporary) await rm(folder.path, { recursive: true, force: true });
    const { device = 'cpu' } = options;
    if (device !== 'cpu') {
      throw new TollamaError(
        'DEPENDENCY_MISSING',
        `device '${device}' is not usable here: ${errorMessage(cause)}`,
        {
          hint: 'use --device cpu',
          cause,
        },
      );
    }
    throw new TollamaError(
      'GRAPH_INVALID',
      `onnxruntime refuses graph '${name}': ${errorMessage(cause)}`,
      { cause },
    );
  }
};
