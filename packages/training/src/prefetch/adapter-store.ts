/** Adapter files by key: a folder of safetensors with the hash of each in an index. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TensorValue, writeSafetensors } from '@tollama/graph';

export interface Artifact {
  readonly file: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

export interface AdapterKey {
  readonly blueprint: string;
  /** Revision of the base model that it fits. */
  readonly revision: string;
  readonly slot: string;
  readonly dtype: 'float32';
}

/** Blueprint, base revision, target slot and dtype: adapters are the same when these are. */
export const keyText = ({ blueprint, revision, slot, dtype }: AdapterKey): string =>
  [blueprint, revision, slot, dtype].join('@');

export class AdapterStore {
  readonly #folder: string;
  readonly #artifacts = new Map<string, Artifact>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  find(key: string): Artifact | undefined {
    return this.#artifacts.get(key);
  }

  pathOf({ file }: Artifact): string {
    return join(this.#folder, file);
  }

  /** Writes the tensors of a key and keeps their hash. */
  async put(key: string, tensors: ReadonlyMap<string, TensorValue>): Promise<Artifact> {
    await mkdir(this.#folder, { recursive: true });
    const file = `${createHash('sha256').update(key).digest('hex').slice(0, 16)}.safetensors`;
    const path = join(this.#folder, file);
    const specs = new Map(
      [...tensors].map(([name, { dtype, dims }]) => [name, { dtype, shape: dims }]),
    );
    await writeSafetensors(path, specs, (name) => tensors.get(name)!.data as Float32Array);
    const bytes = await readFile(path);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const artifact = { file, sha256, sizeBytes: bytes.length };
    this.#artifacts.set(key, artifact);
    return artifact;
  }

  /** Turns one bit of a file over, as a broken disk would. */
  async damage(key: string): Promise<void> {
    const path = this.pathOf(this.find(key)!);
    const bytes = await readFile(path);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(path, bytes);
  }
}
