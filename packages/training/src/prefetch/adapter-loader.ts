/**
 * One load of an adapter, up to ready to attach: its file read and its hash checked, its shapes held to the slot, its
 * session built and warmed up. The session takes the tensors as inputs, so that it is built while the file arrives.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { errorMessage } from '@tollama/core/errors';
import { openWeightsFile, readTensor, type TensorValue } from '@tollama/graph';
import type { Clock } from '../clock/clock.ts';
import type { AdapterStore } from './adapter-store.ts';
import type { LoadFailure, LoadFailureKind, Loaded, Loader } from './prefetcher.ts';

export type Tensors = ReadonlyMap<string, TensorValue>;

/** What is needed to run an adapter, without its values. */
export interface AdapterKernel extends AsyncDisposable {
  /** Runs it once with these values. */
  readonly warmUp: (tensors: Tensors) => Promise<void>;
}

export interface PreparedAdapter {
  readonly key: string;
  readonly tensors: Tensors;
  readonly kernel: AdapterKernel;
}

export interface AdapterLoaderOptions {
  readonly store: AdapterStore;
  /** Names and shapes that the slot takes. */
  readonly expects: (key: string) => ReadonlyMap<string, readonly number[]>;
  readonly build: (key: string) => Promise<AdapterKernel>;
  /** How the file comes here; reads it from the disk when absent. */
  readonly fetch?: (path: string, signal: AbortSignal) => Promise<Buffer>;
  readonly clock: Clock;
}

const failed = (failure: LoadFailureKind, message: string): LoadFailure => ({
  kind: 'failed',
  failure,
  message,
});

const isMissing = (error: unknown): boolean => (error as { code?: unknown }).code === 'ENOENT';

const readTensors = async (path: string): Promise<Tensors> => {
  const { tensors } = await openWeightsFile(dirname(path), basename(path));
  const entries = [...tensors].map(async ([name, tensor]): Promise<[string, TensorValue]> => [
    name,
    { dtype: 'float32', dims: tensor.shape, data: await readTensor(tensor) },
  ]);
  return new Map(await Promise.all(entries));
};

const shapeProblem = (
  tensors: Tensors,
  expected: ReadonlyMap<string, readonly number[]>,
): string | undefined => {
  for (const [name, shape] of expected) {
    const found = tensors.get(name)?.dims.join();
    if (found !== shape.join()) {
      return `tensor '${name}' is [${found ?? 'missing'}], the slot takes [${shape}]`;
    }
  }
  const further = [...tensors.keys()].find((name) => !expected.has(name));
  return further === undefined ? undefined : `tensor '${further}' has no place in the slot`;
};

/** File, hash, shapes: the values, or what is wrong with them. */
const verified = async (
  key: string,
  signal: AbortSignal,
  { store, expects, fetch = (path) => readFile(path) }: AdapterLoaderOptions,
): Promise<Tensors | LoadFailure> => {
  const artifact = store.find(key);
  if (!artifact) return failed('missing_artifact', `no adapter is known as '${key}'`);
  const path = store.pathOf(artifact);
  let bytes: Buffer;
  try {
    bytes = await fetch(path, signal);
  } catch (error) {
    return failed(isMissing(error) ? 'artifact_not_found' : 'build_failed', errorMessage(error));
  }
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== artifact.sha256) {
    return failed('checksum_mismatch', `${artifact.file}: its sha256 is ${sha256}`);
  }
  const tensors = await readTensors(path);
  const problem = shapeProblem(tensors, expects(key));
  return problem === undefined ? tensors : failed('shape_mismatch', problem);
};

export const adapterLoader =
  (options: AdapterLoaderOptions): Loader<PreparedAdapter> =>
  async (key, signal): Promise<Loaded<PreparedAdapter> | LoadFailure> => {
    const building = options.build(key);
    // Judged below; a file that is refused first must not leave an unhandled rejection.
    building.catch(() => {});
    const tensors = await verified(key, signal, options);
    if ('kind' in tensors) {
      const built = await building.catch(() => undefined);
      await built?.[Symbol.asyncDispose]();
      return tensors;
    }
    const kernel = await building;
    const started = options.clock.now();
    await kernel.warmUp(tensors);
    const prewarmMs = options.clock.now() - started;
    const sizeBytes = [...tensors.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
    return { kind: 'loaded', value: { key, tensors, kernel }, sizeBytes, prewarmMs };
  };
