/** config.json of the state folder: read again when it changes; a broken one stops only what needs it. */
import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type Config, EMPTY_CONFIG, ConfigFile as Schema } from '@tollama/core/config';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { issuesText, schemaIssues } from '@tollama/core/schema-issues';
import { z } from 'zod';

export interface ConfigState {
  readonly exists: boolean;
  readonly config: Config;
  /** The file as it is, for `/api/info`. */
  readonly raw: unknown;
  readonly error: string | undefined;
}

const ABSENT: ConfigState = { exists: false, config: EMPTY_CONFIG, raw: null, error: undefined };

const isText = (key: unknown): key is string => typeof key === 'string' && key !== '';

/** Keys of a file that is JSON, whatever else is wrong with it; undefined where they cannot be told. */
const keysIn = (raw: unknown): readonly string[] | undefined => {
  const isObject = typeof raw === 'object' && raw !== null && !Array.isArray(raw);
  const { auth = {} } = (isObject ? raw : { auth: null }) as { auth?: unknown };
  const keys = (auth as { api_keys?: unknown } | null)?.api_keys;
  if (Array.isArray(keys)) return keys.filter(isText);
  if (isText(keys)) return [keys];
  const isAbsent = keys === undefined && typeof auth === 'object' && auth !== null;
  return isAbsent && !Array.isArray(auth) ? [] : undefined;
};

/** What is wrong with a file, a field a line of words. */
const reason = (error: unknown, raw: unknown): string =>
  error instanceof z.ZodError ? issuesText(schemaIssues(error, raw, Schema)) : errorMessage(error);

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
      this.#state = { exists: true, config: EMPTY_CONFIG, raw, error: reason(error, raw) };
    }
    this.#keys = keysIn(raw) ?? this.#keys;
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
