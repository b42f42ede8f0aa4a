/** Runs graphs by onnxruntime-node. */
import { errorMessage, TollamaError } from '@tollama/core/errors';
import type { InferenceSession } from 'onnxruntime-node';
import type { Graph } from '../graph.ts';
import { encodeOnnx } from '../onnx/encode.ts';
import { quantizeGraph } from '../quantize/quantize.ts';
import { NO_WEIGHTS } from '../safetensors/checkpoint.ts';
import { loadRuntime, type NativeRuntime } from './load-runtime.ts';
import { checkOptions, type Device, type SessionOptions } from './options.ts';
import { checkParameters, manageSession, type Session } from './runtime-session.ts';
import { locateIn, makeModelFolder } from './weight-store.ts';

export type { Session } from './runtime-session.ts';

const deviceMissing = (device: Device, why: string, cause?: unknown): TollamaError =>
  new TollamaError('DEPENDENCY_MISSING', `device '${device}' is not usable here: ${why}`, {
    hint: 'use --device cpu',
    cause,
  });

/** onnxruntime drops a provider that its build lacks without a word, and would compute on the CPU. */
const requireDevice = (runtime: NativeRuntime, device: Device): void => {
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
  checkParameters(graph, checkpoint.tensors);
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
    const onClose = async (): Promise<void> => {
      if (options.profile !== undefined) session.endProfiling();
      await session.release();
      await folder.remove();
    };
    return manageSession(runtime, session, graph, { device, precision, onClose });
  } catch (cause) {
    await folder.remove();
    if (device !== 'cpu') throw deviceMissing(device, errorMessage(cause), cause);
    const message = `onnxruntime refuses graph '${graph.name}': ${errorMessage(cause)}`;
    throw new TollamaError('GRAPH_INVALID', message, { cause });
  }
};
