/** A checkpoint folder made ready to forecast. */

import {
  type Device,
  fromCheckpoint,
  openCheckpoint,
  openSession,
  type Precision,
} from '@tollama/graph';
import { openAdapter } from './adapter/adapter.ts';
import { assembleModel, type OpenModel } from './assemble-model.ts';
import { readConfig } from './read-config.ts';

export interface OpenModelOptions {
  /** Threads within an operator. */
  readonly threads: number;
  /** Folder of a LoRA adapter in PEFT's format, merged into the weights. */
  readonly adapter?: string | undefined;
  readonly precision?: Precision;
  readonly device?: Device;
  /** Where graph files are kept between runs; a temporary folder when absent. */
  readonly cacheDir?: string | undefined;
  /** Gives the inner points of the forward pass out with each run, for tests. */
  readonly inspect?: boolean;
}

export type { OpenModel } from './assemble-model.ts';

/**
 * Opens a model: reads config.json, checks the headers of the weights, builds the graphs of its family
 * and makes the first of them ready to run; the others follow when they are first used.
 *
 * @throws TollamaError MODEL_UNSUPPORTED for an unknown family, CHECKPOINT_INVALID for a bad file
 * @example
 * await using model = await openModel('chronos-bolt-small', { threads: 2 });
 * const { forecasts } = await model.forecast({ series: [{ id: 'a', targets: [[1, 2, 3]] }], horizon: 2, quantiles: [0.5], options: {} });
 */
export const openModel = async (folder: string, options: OpenModelOptions): Promise<OpenModel> => {
  const { threads, precision = 'float32', device = 'cpu', cacheDir, inspect = false } = options;
  const base = await openCheckpoint(folder);
  const { family, config } = await readConfig(folder, base.tensors, base.hyperParameters);
  const adapter = options.adapter ? await openAdapter(options.adapter, base) : undefined;
  const checkpoint = adapter?.checkpoint ?? base;
  const weights = adapter?.weights ?? fromCheckpoint(base.tensors);
  const { keepFloat32 } = family;
  const settings = { checkpoint, threads, precision, device, cacheDir, keepFloat32 };
  return assembleModel({
    family,
    config,
    checkpoint,
    weights,
    rewrite: adapter?.rewrite,
    device,
    precision,
    openSession: (graph) => openSession(graph, settings),
    inspect,
    verify: Boolean(process.env.TOLLAMA_DEBUG),
  });
};
