/**
 * A checkpoint folder: the tensors of `model.safetensors`, of the shards that `model.safetensors.index.json`
 * lists, or of a file of torch.save.
 */
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { findTorchFile, readTorchFile } from '../pytorch/torch-file.ts';
import { readSafetensorsHeader, type StoredTensor } from './header.ts';
import { openRegularFile, readPart } from './regular-file.ts';
import { parseStrictJson, shown } from './strict-json.ts';

export interface CheckpointTensor extends StoredTensor {
  /** The real path of the file that holds it. */
  readonly file: string;
}

export interface Checkpoint {
  readonly folder: string;
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  /** Real paths of the weight files. */
  readonly files: readonly string[];
  readonly sizeBytes: number;
  /** What a training library kept beside the weights of a file of torch.save. */
  readonly hyperParameters?: Readonly<Record<string, unknown>> | undefined;
}

/** The checkpoint of a graph without parameters. */
export const NO_WEIGHTS: Checkpoint = { folder: '', tensors: new Map(), files: [], sizeBytes: 0 };

export const SINGLE_FILE = 'model.safetensors';
/** A plain file name, not hidden. */
const SHARD_NAME = /^[\w-][\w.-]{0,254}$/;
/** A thousand times a published one. */
const MAX_INDEX_BYTES = 100_000_000;
export const INDEX_FILE = `${SINGLE_FILE}.index.json`;

const refuse = (message: string, hint?: string): never => {
  throw new TollamaError('CHECKPOINT_INVALID', message, hint === undefined ? {} : { hint });
};

/**
 * The folder that links of a checkpoint may point into: itself, or for a snapshot of the hub's cache
 * (`models--owner--name/snapshots/<commit>`, whose files are links into `blobs/`) the model's folder.
 */
const trustedRoot = (folder: string): string => {
  const snapshots = dirname(folder);
  const model = dirname(snapshots);
  const isHubCache = basename(snapshots) === 'snapshots' && basename(model).startsWith('models--');
  return isHubCache ? model : folder;
};

/** The real path of a file of the folder; refuses one that leads out of the trusted root. */
const resolveInside = async (folder: string, name: string): Promise<string> => {
  const root = trustedRoot(folder);
  const real = await realpath(join(folder, name)).catch((cause) =>
    refuse(`${name} cannot be read: ${errorMessage(cause)}`),
  );
  if (!real.startsWith(root + sep)) {
    refuse(
      `${name} is a link that leads out of the checkpoint's folder`,
      'put the file itself into the folder',
    );
  }
  return real;
};

const exists = async (path: string): Promise<boolean> => {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
};

const readIndexText = async (folder: string): Promise<string> => {
  await using file = await openRegularFile(await resolveInside(folder, INDEX_FILE));
  const { size } = await file.stat();
  if (size > MAX_INDEX_BYTES) {
    refuse(`${INDEX_FILE} has ${size} bytes; at most ${MAX_INDEX_BYTES} are read`);
  }
  return new TextDecoder().decode(await readPart(file, 0, size));
};

/** tensor name -> shard, as the index says. */
const readIndex = async (folder: string): Promise<Map<string, string>> => {
  let index: unknown;
  try {
    index = parseStrictJson(await readIndexText(folder));
  } catch (cause) {
    if (cause instanceof TollamaError) throw cause;
    return refuse(`${INDEX_FILE} is not JSON that can be trusted (${(cause as Error).message})`);
  }
  const map = (index as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== 'object' || map === null || Array.isArray(map)) {
    return refuse(`${INDEX_FILE} has no weight_map`);
  }
  const shards = new Map<string, string>();
  for (const [tensor, file] of Object.entries(map)) {
    if (typeof file !== 'string' || !SHARD_NAME.test(file)) {
      const place = `tensor ${shown(tensor)} into ${shown(file)}`;
      return refuse(`${INDEX_FILE} puts ${place}; shards are files of the same folder`);
    }
    shards.set(tensor, file);
  }
  return shards;
};

const readShards = async (
  folder: string,
  shardOf: ReadonlyMap<string, string>,
): Promise<Map<string, CheckpointTensor>> => {
  const tensors = new Map<string, CheckpointTensor>();
  for (const shard of new Set(shardOf.values())) {
    if (!(await exists(join(folder, shard)))) {
      refuse(`${INDEX_FILE} names the shard ${shard}, which is not there`, 'pull the model again');
    }
    const file = await resolveInside(folder, shard);
    for (const [name, tensor] of await readSafetensorsHeader(file)) {
      const owner = shardOf.get(name);
      if (tensors.has(name) || (owner !== undefined && owner !== shard)) {
        refuse(
          `tensor '${name}' lies in ${shard}, and the index puts it into ${owner ?? 'another shard'}`,
        );
      }
      tensors.set(name, { ...tensor, file });
    }
  }
  for (const [name, shard] of shardOf) {
    if (!tensors.has(name)) refuse(`${shard} lacks tensor '${name}', which the index puts there`);
  }
  return tensors;
};

const readSingle = async (folder: string, name: string): Promise<Map<string, CheckpointTensor>> => {
  const file = await resolveInside(folder, name);
  const header = await readSafetensorsHeader(file);
  return new Map([...header].map(([tensor, stored]) => [tensor, { ...stored, file }]));
};

/**
 * Opens a checkpoint folder and checks all of its headers; no weight is read.
 *
 * @throws TollamaError CHECKPOINT_INVALID when a file is missing, malformed, or a link out of the folder
 */
export const openCheckpoint = async (path: string): Promise<Checkpoint> => {
  const folder = await realpath(path).catch(() => refuse(`there is no checkpoint folder ${path}`));
  if (await exists(join(folder, SINGLE_FILE))) {
    return checkpointOf(folder, await readSingle(folder, SINGLE_FILE));
  }
  if (await exists(join(folder, INDEX_FILE))) {
    return checkpointOf(folder, await readShards(folder, await readIndex(folder)));
  }
  const name = await findTorchFile(folder);
  if (name !== undefined) return openTorchFile(folder, name);
  return refuse(
    `${path} holds neither ${SINGLE_FILE} nor ${INDEX_FILE}, nor a file of torch.save (*.ckpt, *.pt)`,
  );
};

const openTorchFile = async (folder: string, name: string): Promise<Checkpoint> => {
  const file = await resolveInside(folder, name);
  const { tensors, hyperParameters } = await readTorchFile(file);
  const placed = new Map([...tensors].map(([key, tensor]) => [key, { ...tensor, file }]));
  return { ...checkpointOf(folder, placed), hyperParameters };
};

/**
 * Opens one named weights file of a folder, such as an adapter's.
 *
 * @throws TollamaError CHECKPOINT_INVALID when it is missing, malformed, or a link out of the folder
 */
export const openWeightsFile = async (path: string, name: string): Promise<Checkpoint> => {
  const folder = await realpath(path).catch(() => refuse(`there is no folder ${path}`));
  if (!(await exists(join(folder, name)))) refuse(`${path} holds no ${name}`);
  return checkpointOf(folder, await readSingle(folder, name));
};

/** The tensors of several checkpoints as one, in the folder of the first; a later name hides an earlier one. */
export const joinCheckpoints = (first: Checkpoint, ...others: readonly Checkpoint[]): Checkpoint =>
  checkpointOf(first.folder, new Map([first, ...others].flatMap(({ tensors }) => [...tensors])));

const checkpointOf = (
  folder: string,
  tensors: ReadonlyMap<string, CheckpointTensor>,
): Checkpoint => {
  const files = [...new Set([...tensors.values()].map((tensor) => tensor.file))];
  const sizeBytes = [...tensors.values()].reduce((sum, tensor) => sum + tensor.sizeBytes, 0);
  return { folder, tensors, files, sizeBytes };
};
