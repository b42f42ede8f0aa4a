/** Runs graphs: the only file of the product, beside the runner's entry, that loads onnxruntime. */
import { errorMessage, TollamaError } from '@tollama/core/errors';
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { shapeEquals, shapeText } from '../dimension.ts';
import { DTYPES, type DType, type TensorData } from '../dtype.ts';
import { type Graph, parametersOf } from '../graph.ts';
import { encodeOnnx } from '../onnx/encode.ts';
import { quantizeGraph } from '../quantize/quantize.ts';
import { type Checkpoint, NO_WEIGHTS } from '../safetensors/checkpoint.ts';
import { checkFeeds, type Feeds, type TensorValue } from './feeds.ts';
import { checkOptions, type Device, type Precision, type SessionOptions } from './options.ts';
import { locateIn, type ModelFolder, makeModelFolder } from './weight-store.ts';

type Runtime = typeof import('onnxruntime-node');

export interface Session extends AsyncDisposable {
  readonly device: Device;
  readonly precision: Precision;
  /**
   * Runs the whole graph once.
   * @param outputs names of the outputs to hand over; all when absent
   * @throws TollamaError INTERNAL when the feeds do not fit the graph, or onnxruntime refuses
   */
  run(feeds: Feeds, outputs?: readonly string[]): Promise<Readonly<Record<string, TensorValue>>>;
  /** Waits for the runs under way, frees the memory and what lies in a temporary folder. */
  [Symbol.asyncDispose](): Promise<void>;
}

const loadRuntime = async (): Promise<Runtime> => {
  try {
    const runtime = await import('onnxruntime-node');
    // The default export is the CommonJS module itself.
    return (runtime as unknown as { default?: Runtime }).default ?? runtime;
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

const deviceMissing = (device: Device, why: string, cause?: unknown): TollamaError =>
  new TollamaError('DEPENDENCY_MISSING', `device '${device}' is not usable here: ${why}`, {
    hint: 'use --device cpu',
    cause,
  });

/** onnxruntime drops a provider that its build lacks without a word, and would compute on the CPU. */
const requireDevice = (runtime: Runtime, device: Device): void => {
  const built = runtime.listSupportedBackends().map(({ name }) => name);
  if (!built.includes(device)) {
    throw deviceMissing(device, `this build of onnxruntime has ${built.join(', ')}`);
  }
};

/** What was measured is in bench/README.md, section Session. */
const runtimeOptions = (options: SessionOptions): InferenceSession.SessionOptions => ({
  executionProviders:
    options.device === undefined || options.device === 'cpu' ? ['cpu'] : [options.device, 'cpu'],
  intraOpNumThreads: options.threads,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  // Plans made for one batch size hold memory that the next one cannot use.
  enableMemPattern: false,
  // Threads spin within a run and sleep after it.
  extra: { session: { force_spinning_stop: '1' } },
  logSeverityLevel: 3,
  ...(options.profile === undefined
    ? {}
    : { enableProfiling: true, profileFilePrefix: options.profile }),
  ...options.runtime,
});

const toValue = (tensor: OrtTensor): TensorValue => {
  if (!Object.hasOwn(DTYPES, tensor.type)) {
    throw new TollamaError('INTERNAL', `the graph returned a ${tensor.type} tensor`);
  }
  return { dtype: tensor.type as DType, dims: tensor.dims, data: tensor.data as TensorData };
};

const runOnce = async (
  runtime: Runtime,
  session: InferenceSession,
  graph: Graph,
  feeds: Feeds,
  outputs: readonly string[] | undefined,
): Promise<Readonly<Record<string, TensorValue>>> => {
  checkFeeds(graph, feeds);
  const tensors: Record<string, OrtTensor> = {};
  for (const [name, { dtype, data, dims }] of Object.entries(feeds)) {
    tensors[name] = new runtime.Tensor(dtype as 'float32', data as Float32Array, dims);
  }
  try {
    const results = await (outputs ? session.run(tensors, outputs) : session.run(tensors));
    return Object.fromEntries(
      Object.entries(results).map(([name, tensor]) => [name, toValue(tensor)]),
    );
  } catch (cause) {
    throw new TollamaError('INTERNAL', `graph '${graph.name}' failed: ${errorMessage(cause)}`, {
      cause,
    });
  }
};

/** The graph reads the checkpoint by its places, so it must be made for this very one. */
const checkParameters = (graph: Graph, checkpoint: Checkpoint): void => {
  for (const { name, dtype, shape } of parametersOf(graph)) {
    const stored = checkpoint.tensors.get(name);
    if (stored?.dtype === dtype && shapeEquals(stored.shape, shape)) continue;
    const found = stored ? `is ${stored.dtype}${shapeText(stored.shape)}` : 'is missing';
    throw new TollamaError(
      'CHECKPOINT_INVALID',
      `graph '${graph.name}': tensor '${name}' ${found}, expected ${dtype}${shapeText(shape)}`,
    );
  }
};

/** A native session with its lifetime: the folder goes with it, and nothing runs past its end. */
const manageSession = (
  runtime: Runtime,
  session: InferenceSession,
  folder: ModelFolder,
  graph: Graph,
  options: SessionOptions,
): Session => {
  const { device = 'cpu', precision = 'float32' } = options;
  const running = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await Promise.allSettled(running);
    if (options.profile !== undefined) session.endProfiling();
    await session.release();
    await folder.remove();
  };
  return {
    device,
    precision,
    async run(feeds, outputs) {
      if (closing) throw new TollamaError('INTERNAL', `graph '${graph.name}' is closed`);
      const result = runOnce(runtime, session, graph, feeds, outputs);
      running.add(result);
      try {
        return await result;
      } finally {
        running.delete(result);
      }
    },
    async [Symbol.asyncDispose]() {
      closing ??= close();
      await closing;
    },
  };
};

/**
 * Makes a graph ready to run: writes its ONNX file beside links to the weights, and maps both.
 *
 * @throws TollamaError INVALID_REQUEST for an option out of range, DEPENDENCY_MISSING without onnxruntime
 *   or the device, GRAPH_INVALID when onnxruntime refuses the graph
 * @example
 * const x = input('x', ['batch', 4]);
 * await using session = await openSession(defineGraph('double', [x], { y: mul(x, 2) }), { threads: 1 });
 */
export const openSession = async (graph: Graph, options: SessionOptions): Promise<Session> => {
  checkOptions(options);
  const { checkpoint = NO_WEIGHTS, precision = 'float32', device = 'cpu', cacheDir } = options;
  checkParameters(graph, checkpoint);
  const locate = locateIn(checkpoint);
  const quantized =
    precision === 'int8' ? quantizeGraph(graph, checkpoint, options.keepFloat32) : undefined;
  const onnx = encodeOnnx(
    quantized?.graph ?? graph,
    (name) => quantized?.locate(name) ?? locate(name),
  );
  const runtime = await loadRuntime();
  requireDevice(runtime, device);
  const folder = await makeModelFolder({
    checkpoint,
    onnx,
    cacheDir,
    writeSidecars: quantized?.write,
  });
  try {
    const session = await runtime.InferenceSession.create(
      folder.modelFile,
      runtimeOptions(options),
    );
    // Mapped files outlive their names, except on Windows: nothing is left behind by a crash.
    if (process.platform !== 'win32') await folder.remove();
    return manageSession(runtime, session, folder, graph, options);
  } catch (cause) {
    await folder.remove();
    if (device !== 'cpu') throw deviceMissing(device, errorMessage(cause), cause);
    const message = `onnxruntime refuses graph '${graph.name}': ${errorMessage(cause)}`;
    throw new TollamaError('GRAPH_INVALID', message, { cause });
  }
};
