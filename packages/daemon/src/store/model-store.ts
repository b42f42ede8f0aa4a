/** The installed models: a model is installed when its manifest is there. */
import { statSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { errorMessage } from '@tollama/core/errors';
import { Manifest } from '@tollama/core/manifest';
import { isModelName, modelOfFolder } from '@tollama/core/model-name';
import type { Logger } from '../log.ts';
import type { Home } from './home.ts';
import { KeyedQueue } from './keyed-queue.ts';
import { modelMissing } from './model-missing.ts';
import { writeJson } from './write-file.ts';

interface Cached {
  readonly modifiedMs: number;
  readonly manifest: Manifest;
}

export class ModelStore {
  readonly #home: Home;
  readonly #log: Logger;
  readonly #cache = new Map<string, Cached>();
  readonly #changes = new KeyedQueue();

  constructor(home: Home, log: Logger) {
    this.#home = home;
    this.#log = log;
  }

  /** Whether the model is being installed, copied or removed. */
  isChanging(name: string): boolean {
    return this.#changes.isBusy(name);
  }

  /** Models that are being installed, copied or removed. */
  get changing(): readonly string[] {
    return this.#changes.keys;
  }

  /** Everything that writes to or removes a model's folder goes through here: one change of a model at a time. */
  change<T>(name: string, work: () => Promise<T>): Promise<T> {
    return this.#changes.run(name, work);
  }

  /** The manifest, or undefined when the model is not installed or its manifest cannot be read. */
  async find(name: string): Promise<Manifest | undefined> {
    if (!isModelName(name)) return undefined;
    const path = this.#home.model(name).manifest;
    // Asked on every forecast: the blocking call takes microseconds, the thread pool many times that.
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found) return undefined;
    const cached = this.#cache.get(name);
    if (cached?.modifiedMs === found.mtimeMs) return cached.manifest;
    try {
      const manifest = Manifest.parse(JSON.parse(await readFile(path, 'utf8')));
      this.#cache.set(name, { modifiedMs: found.mtimeMs, manifest });
      return manifest;
    } catch (error) {
      // One broken manifest must not take the others down.
      this.#log.warn(
        { model: name, error: errorMessage(error) },
        'manifest is not readable; model skipped',
      );
      return undefined;
    }
  }

  /** Throws MODEL_NOT_FOUND with the command that would install the model. */
  async get(name: string): Promise<Manifest> {
    const manifest = await this.find(name);
    if (manifest) return manifest;
    throw modelMissing(name, `tollama pull ${name}`);
  }

  /** All installed models, sorted by name. */
  async list(): Promise<readonly Manifest[]> {
    const names = await readdir(this.#home.models).catch(() => []);
    const manifests = await Promise.all(
      names.toSorted().map((name) => this.find(modelOfFolder(name))),
    );
    return manifests.filter((manifest) => manifest !== undefined);
  }

  async write(manifest: Manifest): Promise<void> {
    await writeJson(this.#home.model(manifest.name).manifest, manifest);
  }

  /** Removes the model's folder; the manifest first, so that a crash leaves no half model installed. */
  async remove(name: string): Promise<void> {
    const paths = this.#home.model(name);
    await rm(paths.manifest, { force: true });
    await rm(paths.folder, { recursive: true, force: true });
    this.#cache.delete(name);
  }
}
