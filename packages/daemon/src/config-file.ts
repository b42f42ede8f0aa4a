/** config.json of the state folder: read again when it changes; a broken one stops only what needs it. */
import { readFile, stat } from 'node:fs/promises';
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

export class ConfigFile {
  readonly #path: string;
  #modifiedMs = -1;
  #state: ConfigState = ABSENT;

  constructor(path: string) {
    this.#path = path;
  }

  async read(): Promise<ConfigState> {
    const found = await stat(this.#path).catch(() => undefined);
    if (!found) return ABSENT;
    if (found.mtimeMs === this.#modifiedMs) return this.#state;
    this.#modifiedMs = found.mtimeMs;
    try {
      const raw: unknown = JSON.parse(await readFile(this.#path, 'utf8'));
      this.#state = { exists: true, config: Schema.parse(raw), raw, error: undefined };
    } catch (error) {
      this.#state = {
        exists: true,
        config: EMPTY_CONFIG,
        raw: undefined,
        error: errorMessage(error),
      };
    }
    return this.#state;
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
