import { readFile, stat } from 'node:fs/promises';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { Registry, type RegistryEntry } from '@tollama/core/manifest';
import { BUILT_IN_REGISTRY } from '@tollama/core/registry';

/** The registry: the built-in one, or a YAML file that is read again when it changes. */
export class RegistryFile {
  readonly #path: string | undefined;
  #modifiedMs = -1;
  #entries: readonly RegistryEntry[] = BUILT_IN_REGISTRY;

  constructor(path: string | undefined) {
    this.#path = path;
  }

  /** All entries, sorted by name. Throws CONFIG_INVALID when the file cannot be read. */
  async entries(): Promise<readonly RegistryEntry[]> {
    if (this.#path !== undefined) await this.#refresh(this.#path);
    return this.#entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  async find(name: string): Promise<RegistryEntry | undefined> {
    return (await this.entries()).find((entry) => entry.name === name);
  }

  async #refresh(path: string): Promise<void> {
    try {
      const { mtimeMs } = await stat(path);
      if (mtimeMs === this.#modifiedMs) return;
      const { parse } = await import('yaml');
      this.#entries = Registry.parse(parse(await readFile(path, 'utf8'))).models;
      this.#modifiedMs = mtimeMs;
    } catch (cause) {
      throw new TollamaError('CONFIG_INVALID', `registry ${path}: ${errorMessage(cause)}`, {
        cause,
      });
    }
  }
}
