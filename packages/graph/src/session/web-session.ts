/**
 * Runs graphs in a browser tab. The page brings its build of onnxruntime-web (WebAssembly, WebGPU) and the
 * weights as bytes; the graph points into them as it does into files.
 */
import { errorMessage, TollamaError } from '@tollama/core/errors';
import type { Graph } from '../graph.ts';
import { encodeOnnx } from '../onnx/encode.ts';
import type { MemoryCheckpoint } from '../safetensors/memory-checkpoint.ts';
import {
  checkParameters,
  manageSession,
  type Runtime,
  type RuntimeSession,
  type Session,
} from './runtime-session.ts';

/** The parts of onnxruntime-web that a session needs. */
export interface WebRuntime extends Runtime {
  readonly InferenceSession: {
    create(model: Uint8Array, options: WebRuntimeOptions): Promise<RuntimeSession>;
  };
}

interface WebRuntimeOptions {
  readonly executionProviders: readonly string[];
  readonly externalData: readonly { readonly path: string; readonly data: Uint8Array }[];
  readonly graphOptimizationLevel: 'all';
  readonly logSeverityLevel: 3;
}

export const WEB_DEVICES = ['cpu', 'webgpu'] as const;
export type WebDevice = (typeof WEB_DEVICES)[number];

export interface WebSessionOptions {
  /** The module `onnxruntime-web` in the build that the page has chosen. */
  readonly runtime: WebRuntime;
  /** Holds the graph's parameters; may be absent for a graph without any. */
  readonly checkpoint?: MemoryCheckpoint;
  /** cpu is WebAssembly; webgpu needs a build of onnxruntime-web with it. */
  readonly device?: WebDevice;
}

const PROVIDERS: Readonly<Record<WebDevice, readonly string[]>> = {
  cpu: ['wasm'],
  webgpu: ['webgpu', 'wasm'],
};

/**
 * Makes a graph ready to run in a browser, in float32.
 *
 * @throws TollamaError CHECKPOINT_INVALID when the checkpoint is not the graph's, GRAPH_INVALID when
 *   onnxruntime refuses the graph
 * @example
 * import * as runtime from 'onnxruntime-web/wasm';
 * await using session = await openWebSession(graph, { runtime, checkpoint });
 */
export const openWebSession = async (
  graph: Graph,
  { runtime, checkpoint, device = 'cpu' }: WebSessionOptions,
): Promise<Session> => {
  const tensors = checkpoint?.tensors ?? new Map<string, never>();
  checkParameters(graph, tensors);
  const onnx = encodeOnnx(graph, (name) => {
    const { file, offset, sizeBytes } = checkpoint!.tensors.get(name)!;
    return { location: file, offset, length: sizeBytes };
  });
  const externalData = [...(checkpoint?.bytes ?? [])].map(([path, data]) => ({ path, data }));
  let session: RuntimeSession;
  try {
    session = await runtime.InferenceSession.create(onnx, {
      executionProviders: PROVIDERS[device],
      externalData,
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
    });
  } catch (cause) {
    const message = `onnxruntime refuses graph '${graph.name}': ${errorMessage(cause)}`;
    throw new TollamaError('GRAPH_INVALID', message, { cause });
  }
  const onClose = () => session.release();
  return manageSession(runtime, session, graph, { device, precision: 'float32', onClose });
};
