/** config.json of the state folder: read again when it changes; a broken one stops only what needs it. */
import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type Config, EMPTY_CONFIG, ConfigFile as Schema } from '@tollama/core/config';
import { errorMessage, TollamaError } from '@tollama/core/errors';

export interface ConfigState {
  readonly exists: boolean;
  readonly config: Config;
  /** The file as it is, for `/api/info`. */
  readonly raw: unknown;
  readonly error: string | undefined;
}

const ABSENT: ConfigState = { exists: false, config: EMPTY_CONFIG, raw: null, error: undefined };

/** Keys of a file that is JSON, whatever else is wrong with it. */
const keysIn = (raw: unknown): readonly string[] | undefined => {
  const keys = (raw as { auth?: { api_keys?: unknown } } | undefined)?.auth?.api_keys;
  return Array.isArray(keys) ? keys.filter((key) => typeof key === 'string') : undefined;
};

export class ConfigFile {
  readonly #path: string;
  #modifiedMs = -1;
  #state: ConfigState = ABSENT;
  #keys: readonly string[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  async read(): Promise<ConfigState> {
    // Asked on every request: the blocking call takes microseconds, the thread pool many times that.
    const found = statSync(this.#path, { throwIfNoEntry: false });
    if (!found) return ABSENT;
    if (found.mtimeMs === this.#modifiedMs) return this.#state;
    this.#modifiedMs = found.mtimeMs;
    let raw: unknown;
    try {
      raw = JSON.parse(await readFile(this.#path, 'utf8'));
      this.#state = { exists: true, config: Schema.parse(raw), raw, error: undefined };
    } catch (error) {
      this.#state = { exists: true, config: EMPTY_CONFIG, raw, error: errorMessage(error) };
    }
    this.#keys = keysIn(raw) ?? (raw === undefined ? this.#keys : []);
    return this.#state;
  }

  /** API keys; they hold even where the rest of the file is not valid, so that a typo opens nothing. */
  async apiKeys(): Promise<readonly string[]> {
    const { exists } = await this.read();
    return exists ? this.#keys : [];
  }

  /** The config, or CONFIG_INVALID with the reason. */
  async require(): Promise<Config> {
    const { config, error } = await this.read();
    if (error === undefined) return config;
    throw new TollamaError('CONFIG_INVALID', `${this.#path} is not valid: ${error}`, {
      hint: 'correct or remove the file',
    });
  }
}
