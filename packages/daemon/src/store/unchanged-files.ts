/**
 * Notices before a forecast that a model's files are no longer those that were installed. The looks are free (the
 * time and size of each file); a file is read and hashed only when those say that somebody wrote to it.
 */
import { readdirSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { TollamaError } from '@tollama/core/errors';
import type { Manifest } from '@tollama/core/manifest';
import { verifyFile } from './verify-model.ts';

/** Clocks of disks and of the process differ a little, and some disks know whole seconds only. */
const SLACK_MS = 2000;

/** Files that the numbers come from: weights and settings, as the snapshot has them. */
const filesOf = (manifest: Manifest): readonly string[] => {
  const folder = manifest.resolved?.snapshot_path;
  if (!folder) return [];
  if (manifest.files) return Object.keys(manifest.files);
  try {
    return readdirSync(folder, { recursive: true }).map(String);
  } catch {
    return [];
  }
};

const stampOf = ({ ino, size, mtimeMs }: Stats): string => `${ino} ${size} ${mtimeMs}`;

export class UnchangedFiles {
  readonly #lists = new WeakMap<Manifest, readonly string[]>();
  /** How a file was when it was found to be what it should be, by its path. */
  readonly #good = new Map<string, string>();
  readonly #hashing = new Map<string, Promise<void>>();

  #list(manifest: Manifest): readonly string[] {
    const known = this.#lists.get(manifest);
    if (known) return known;
    const files = filesOf(manifest);
    this.#lists.set(manifest, files);
    return files;
  }

  /** Throws CHECKPOINT_INVALID with the file that changed. A file that is gone is the runner's to tell. */
  async check(manifest: Manifest): Promise<void> {
    const folder = manifest.resolved?.snapshot_path;
    if (!folder) return;
    for (const name of this.#list(manifest)) {
      const path = join(folder, name);
      const found = statSync(path, { throwIfNoEntry: false });
      if (!found?.isFile() || this.#good.get(path) === stampOf(found)) continue;
      if (!this.#good.has(path) && isOlder(found, manifest)) this.#good.set(path, stampOf(found));
      else await this.#hash(manifest, folder, name, stampOf(found));
    }
  }

  /** One reading of a file serves all who wait for it. */
  #hash(manifest: Manifest, folder: string, name: string, stamp: string): Promise<void> {
    const path = join(folder, name);
    const running = this.#hashing.get(path);
    if (running) return running;
    const work = verifyFile(folder, name, manifest.files?.[name]).then(({ status }) => {
      if (status === 'damaged') throw changed(manifest.name, name);
      this.#good.set(path, stamp);
    });
    this.#hashing.set(path, work);
    return work.finally(() => this.#hashing.delete(path));
  }
}

/** Whether a file was last written before the model was installed. */
const isOlder = ({ mtimeMs }: Stats, { pulled_at, installed_at }: Manifest): boolean =>
  mtimeMs <= Date.parse(pulled_at ?? installed_at) + SLACK_MS;

const changed = (model: string, file: string): TollamaError =>
  new TollamaError(
    'CHECKPOINT_INVALID',
    `${file} of model '${model}' is not the file that was installed: it was changed on the disk`,
    {
      hint: `\`tollama verify ${model}\` compares all files; pull the model again to replace them`,
    },
  );
