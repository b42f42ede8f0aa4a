/** A checkpoint made ready to forecast in a browser tab, from bytes instead of a folder. */
import {
  fromCheckpoint,
  openMemoryCheckpoint,
  openWebSession,
  type WebDevice,
  type WebRuntime,
} from '@tollama/graph';
import { assembleModel, type OpenModel } from './assemble-model.ts';
import { familyOf } from './family-of.ts';

export type { OpenModel } from './assemble-model.ts';

export interface WebModelOptions {
  /** The parsed config.json. */
  readonly config: unknown;
  /** The safetensors files by their names; several ones are the shards of one checkpoint. */
  readonly weights: Readonly<Record<string, Uint8Array>>;
  /** The module `onnxruntime-web` in the build that the page has chosen. */
  readonly runtime: WebRuntime;
  /** cpu is WebAssembly; webgpu needs a build of onnxruntime-web with it. */
  readonly device?: WebDevice;
}

/**
 * Opens a model where there are no files. It computes in float32 and forecasts as `openModel` does.
 *
 * @throws TollamaError MODEL_UNSUPPORTED for an unknown family, CHECKPOINT_INVALID for bad bytes
 * @example
 * import * as runtime from 'onnxruntime-web/wasm';
 * const weights = { 'model.safetensors': new Uint8Array(await file.arrayBuffer()) };
 * await using model = await openWebModel({ config: JSON.parse(text), weights, runtime });
 */
export const openWebModel = async (options: WebModelOptions): Promise<OpenModel> => {
  const { runtime, device = 'cpu' } = options;
  const checkpoint = await openMemoryCheckpoint(options.weights);
  const { family, config } = familyOf(options.config, checkpoint.tensors);
  return assembleModel({
    family,
    config,
    checkpoint,
    weights: fromCheckpoint(checkpoint.tensors),
    device,
    precision: 'float32',
    openSession: (graph) => openWebSession(graph, { runtime, checkpoint, device }),
    inspect: false,
    verify: false,
  });
};
