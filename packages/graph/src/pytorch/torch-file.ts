/**
 * A file of `torch.save` (torch, serialization.py): a zip archive of a pickle and of the storages that its
 * tensors are views of, all stored as they are. The tensors are served in place; nothing is executed.
 */
import { type FileHandle, readdir } from 'node:fs/promises';
import { basename } from 'node:path';
import { TollamaError } from '@tollama/core/errors';
import { DTYPES } from '../dtype.ts';
import type { StoredTensor } from '../safetensors/header.ts';
import { openRegularFile, readPart } from '../safetensors/regular-file.ts';
import { shown } from '../safetensors/strict-json.ts';
import { describe, isKind, type PickledTensor, type PickleValue } from './pickle-value.ts';
import { plainRecord } from './plain-record.ts';
import { unpickle } from './unpickle.ts';
import { type Refuse, readZipDirectory, type StoredEntry } from './zip-directory.ts';

export interface TorchFile {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** What a training library kept beside the weights, as plain values. */
  readonly hyperParameters?: Readonly<Record<string, unknown>> | undefined;
}

/** A thousand times a published one. */
const MAX_PICKLE_BYTES = 100_000_000;
const PICKLE = /^([^/]+)\/data\.pkl$/;

const FILE_NAME = /^[\w-][\w.-]*\.(ckpt|pt|pth)$|^pytorch_model\.bin$/;
/** Preferred where a folder holds several. */
const USUAL_NAME = 'torch_model.ckpt';

/**
 * The name of a folder's file of torch.save, undefined where it holds none.
 *
 * @throws TollamaError CHECKPOINT_INVALID when there are several to choose from
 */
export const findTorchFile = async (folder: string): Promise<string | undefined> => {
  const names = (await readdir(folder)).filter((name) => FILE_NAME.test(name)).sort();
  if (names.length <= 1 || names.includes(USUAL_NAME)) {
    return names.includes(USUAL_NAME) ? USUAL_NAME : names[0];
  }
  throw new TollamaError(
    'CHECKPOINT_INVALID',
    `${folder} holds several weights: ${names.join(', ')}`,
    {
      hint: 'leave one of them in the folder',
    },
  );
};

type Entries = ReadonlyMap<string, StoredEntry>;

/** The archive's folder, which it names itself, and its pickle. */
const findPickle = (entries: Entries, refuse: Refuse): readonly [string, StoredEntry] => {
  const found = [...entries].filter(([name]) => PICKLE.test(name));
  const [first] = found;
  if (!first || found.length > 1) {
    return refuse(`it holds ${found.length} data.pkl; a file of torch.save holds one`);
  }
  return [PICKLE.exec(first[0])![1]!, first[1]];
};

const readPickle = async (
  file: FileHandle,
  { offset, sizeBytes }: StoredEntry,
  refuse: Refuse,
): Promise<PickleValue> => {
  if (sizeBytes > MAX_PICKLE_BYTES) {
    refuse(`its pickle has ${sizeBytes} bytes; at most ${MAX_PICKLE_BYTES} are read`);
  }
  return unpickle(await readPart(file, offset, sizeBytes), refuse);
};

/** Numbers lie as the machine that wrote them had them, which newer files tell. */
const checkByteOrder = async (
  file: FileHandle,
  entry: StoredEntry | undefined,
  refuse: Refuse,
): Promise<void> => {
  if (!entry) return;
  const order = new TextDecoder().decode(
    await readPart(file, entry.offset, Math.min(entry.sizeBytes, 16)),
  );
  if (order !== 'little') refuse(`its numbers are stored in the byte order ${shown(order)}`);
};

/** Elements that a shape has, or undefined where the product leaves the exact integers. */
const elementsOf = (shape: readonly number[]): number | undefined => {
  const count = shape.reduce((product, dim) => product * dim, 1);
  return Number.isSafeInteger(count) ? count : undefined;
};

/** Whether neighbours of the last axis lie side by side, and so on outwards; axes of size 1 are free. */
const isContiguous = ({ shape, strides }: PickledTensor): boolean => {
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== step) return false;
    step *= shape[axis]!;
  }
  return true;
};

/** Where a tensor lies in the file, which its storage must hold in full. */
const locate = (
  name: string,
  tensor: PickledTensor,
  prefix: string,
  entries: Entries,
  refuse: Refuse,
): StoredTensor => {
  const { storage, shape } = tensor;
  const entry = entries.get(`${prefix}/data/${storage.key}`);
  if (!entry)
    return refuse(`tensor ${shown(name)} lies in data/${storage.key}, which is not there`);
  const { sizeBytes: width } = DTYPES[storage.dtype];
  if (storage.count * width !== entry.sizeBytes) {
    refuse(
      `tensor ${shown(name)} is a view of ${storage.count} ${storage.dtype} numbers, data/${storage.key} has ${entry.sizeBytes} bytes`,
    );
  }
  const count = elementsOf(shape) ?? refuse(`tensor ${shown(name)} of shape [${shape}] overflows`);
  if (count > 0 && !isContiguous(tensor)) {
    refuse(
      `tensor ${shown(name)} of shape [${shape}] has the strides [${tensor.strides}]; save it after contiguous()`,
    );
  }
  if (tensor.offset + count > storage.count) {
    refuse(
      `tensor ${shown(name)} of shape [${shape}] from ${tensor.offset} on leaves its storage of ${storage.count}`,
    );
  }
  const offset = entry.offset + tensor.offset * width;
  if (offset % width !== 0)
    refuse(`tensor ${shown(name)} lies at ${offset}, not on a whole number`);
  return { dtype: storage.dtype, shape, offset, sizeBytes: count * width };
};

/** Before version 1.6 torch.save wrote no archives. */
const checkFormat = async (file: FileHandle, refuse: Refuse): Promise<void> => {
  const start = new TextDecoder().decode(await readPart(file, 0, 2));
  if (start !== 'PK') {
    refuse('it is no zip archive; load it with torch of version 1.6 or newer and save it again');
  }
};

/** The dict that names the weights: the whole, or what a training library calls `state_dict`. */
const stateDict = (value: PickleValue, refuse: Refuse): Map<PickleValue, PickleValue> => {
  if (!(value instanceof Map)) return refuse(`it holds ${describe(value)}, not a dict of tensors`);
  const inner = value.get('state_dict');
  return inner instanceof Map ? inner : value;
};

/**
 * Reads and checks the names and places of a file's tensors; no weight is read, nothing is executed.
 *
 * @throws TollamaError CHECKPOINT_INVALID for anything but data of torch.save, by the name of what it is
 */
export const readTorchFile = async (path: string): Promise<TorchFile> => {
  const refuse: Refuse = (why) => {
    throw new TollamaError('CHECKPOINT_INVALID', `${basename(path)}: ${why}`);
  };
  await using file = await openRegularFile(path);
  await checkFormat(file, refuse);
  const entries = await readZipDirectory(file, refuse);
  const [prefix, pickle] = findPickle(entries, refuse);
  await checkByteOrder(file, entries.get(`${prefix}/byteorder`), refuse);
  const value = await readPickle(file, pickle, refuse);
  const tensors = new Map<string, StoredTensor>();
  for (const [name, tensor] of stateDict(value, refuse)) {
    if (typeof name !== 'string' || !isKind(tensor, 'tensor')) {
      return refuse(`its dict of tensors holds ${describe(tensor)} as ${describe(name)}`);
    }
    tensors.set(name, locate(name, tensor, prefix, entries, refuse));
  }
  if (tensors.size === 0) refuse('it holds no tensor');
  const kept = (value as Map<PickleValue, PickleValue>).get('hyper_parameters');
  return { tensors, hyperParameters: kept instanceof Map ? plainRecord(kept, refuse) : undefined };
};
