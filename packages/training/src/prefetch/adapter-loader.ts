/**
 * One load of an adapter, up to ready to attach: its file read and its hash checked, its shapes held to the slot, its
 * session built and warmed up. The session takes the tensors as inputs, so that it is built while the file arrives.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { openMemoryCheckpoint, type TensorValue } from '@tollama/graph';
import type { Clock } from '../clock/clock.ts';
import type { AdapterStore } from './adapter-store.ts';
import type { Loaded, Loader, LoadFailure, LoadFailureKind } from './prefetcher.ts';

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

/** The very bytes that were hashed, as tensors. */
const tensorsIn = async (file: string, bytes: Buffer): Promise<Tensors> => {
  const { tensors } = await openMemoryCheckpoint({ [file]: bytes });
  return new Map(
    [...tensors].map(([name, { dtype, shape, offset, sizeBytes }]): [string, TensorValue] => {
      if (dtype !== 'float32') {
        throw new TollamaError('CHECKPOINT_INVALID', `${file}: '${name}' is ${dtype}`, {
          hint: 'adapters are float32',
        });
      }
      // A copy of its own: views of floats must begin at a multiple of four.
      const data = new Uint8Array(bytes.subarray(offset, offset + sizeBytes));
      return [name, { dtype, dims: shape, data: new Float32Array(data.buffer) }];
    }),
  );
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
  const tensors = await tensorsIn(artifact.file, bytes);
  const problem = shapeProblem(tensors, expects(key));
  return problem === undefined ? tensors : failed('shape_mismatch', problem);
};

export const adapterLoader =
  (options: AdapterLoaderOptions): Loader<PreparedAdapter> =>
  async (key, signal): Promise<Loaded<PreparedAdapter> | LoadFailure> => {
    // The file is asked for first: its way here takes longest.
    const verifying = verified(key, signal, options);
    const building = options.build(key);
    // Judged below; a file that is refused first must not leave an unhandled rejection.
    building.catch(() => {});
    const tensors = await verifying;
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
