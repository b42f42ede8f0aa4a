/** Results on disk, one file for each model and configuration, so that a run that was cut off goes on. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ConfigurationResult, fromPlain, toPlain } from './evaluate-configuration.ts';

/** Names with slashes or colons as one part of a path. */
export const pathPart = (name: string): string => name.replace(/[^\w.-]+/g, '_');

/** Writes beside the place and renames: a crash leaves the old file or the new one. */
export const writeWhole = async (path: string, content: string): Promise<void> => {
  await mkdir(dirname(path), { recursive: true });
  const partial = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(partial, content);
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
};

/** What a result depends on, as a short text: another one means that a stored result does not count. */
export const fingerprint = (facts: unknown): string =>
  createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 16);

export interface ResultStore {
  /** The stored result, unless it is missing, damaged or of other facts. */
  read(configuration: string, print: string): Promise<ConfigurationResult | undefined>;
  write(result: ConfigurationResult, print: string): Promise<void>;
}

/** Results of a model below `<folder>/<model>/configurations/`. */
export const openResultStore = (folder: string, model: string): ResultStore => {
  const pathOf = (configuration: string): string =>
    join(folder, pathPart(model), 'configurations', `${pathPart(configuration)}.json`);
  return {
    async read(configuration, print) {
      try {
        const stored = JSON.parse(await readFile(pathOf(configuration), 'utf8')) as {
          readonly fingerprint: string;
          readonly result: Readonly<Record<string, unknown>>;
        };
        return stored.fingerprint === print ? fromPlain(stored.result) : undefined;
      } catch {
        return undefined;
      }
    },
    write: (result, print) =>
      writeWhole(
        pathOf(result.configuration),
        `${JSON.stringify({ fingerprint: print, result: toPlain(result) }, undefined, 1)}\n`,
      ),
  };
};
