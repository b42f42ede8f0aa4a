/** Forecast profiles by name: modelfiles/<name>.yaml in the state folder. */
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { ForecastProfile } from '@tollama/core/forecast-profile';
import { checkModelName, MODEL_NAME } from '@tollama/core/model-name';
import { parseBody } from '@tollama/core/schema-issues';
import type { Logger } from '../log.ts';
import { writeFileAtomically } from './write-file.ts';

export interface StoredProfile {
  readonly name: string;
  readonly path: string;
  readonly profile: ForecastProfile;
}

const SUFFIX = '.yaml';

/** A profile from YAML. Throws INVALID_REQUEST with what is wrong. */
export const parseProfile = async (text: string): Promise<ForecastProfile> => {
  const { parse } = await import('yaml');
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    throw new TollamaError('INVALID_REQUEST', `content is not valid YAML: ${errorMessage(cause)}`, {
      cause,
    });
  }
  return parseBody(ForecastProfile, value);
};

export class ModelfileStore {
  readonly #folder: string;
  readonly #log: Logger;

  constructor(folder: string, log: Logger) {
    this.#folder = folder;
    this.#log = log;
  }

  #path(name: string): string {
    return join(this.#folder, `${checkModelName(name)}${SUFFIX}`);
  }

  /** All readable profiles, sorted by name. */
  async list(): Promise<readonly StoredProfile[]> {
    const files = await readdir(this.#folder).catch(() => []);
    const names = files
      .filter((file) => file.endsWith(SUFFIX))
      .map((file) => file.slice(0, -SUFFIX.length))
      .filter((name) => MODEL_NAME.test(name));
    const found = await Promise.all(
      names.toSorted().map((name) =>
        this.get(name).catch((error: unknown) => {
          this.#log.warn({ modelfile: name, error: errorMessage(error) }, 'modelfile skipped');
          return undefined;
        }),
      ),
    );
    return found.filter((stored) => stored !== undefined);
  }

  /** @throws TollamaError NOT_FOUND; CONFIG_INVALID when the file does not hold a profile */
  async get(name: string): Promise<StoredProfile> {
    const path = this.#path(name);
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text === undefined) return this.#missing(name);
    try {
      return { name, path, profile: await parseProfile(text) };
    } catch (cause) {
      throw new TollamaError('CONFIG_INVALID', `modelfile '${name}': ${errorMessage(cause)}`, {
        hint: 'write it again with POST /api/modelfiles, or delete it',
        cause,
      });
    }
  }

  async write(name: string, profile: ForecastProfile): Promise<StoredProfile> {
    const path = this.#path(name);
    const { stringify } = await import('yaml');
    await writeFileAtomically(path, stringify(profile, { sortMapEntries: true }));
    return { name, path, profile };
  }

  async remove(name: string): Promise<void> {
    const path = this.#path(name);
    await rm(path).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return this.#missing(name);
      throw cause;
    });
  }

  #missing(name: string): never {
    throw new TollamaError('NOT_FOUND', `modelfile '${name}' not found`, {
      hint: 'GET /api/modelfiles lists those that are',
    });
  }
}
