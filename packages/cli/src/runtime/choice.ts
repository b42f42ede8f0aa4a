/** Which runtimes lie in the state folder, and which one runners take. */
import { readdir, readFile } from 'node:fs/promises';
import { RuntimeChoice, runtimeChoicePath } from '@tollama/core/runtime-choice';

export const RUNTIME_NAMES = ['cpu', 'cuda'] as const;
export type RuntimeName = (typeof RUNTIME_NAMES)[number];

/** The runtime that runners take; undefined: the one that came with tollama. */
export const readChoice = async (runtimes: string): Promise<RuntimeChoice | undefined> => {
  const text = await readFile(runtimeChoicePath(runtimes), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return RuntimeChoice.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
};

/** Names of the runtimes that lie in the folder. */
export const installedRuntimes = async (runtimes: string): Promise<readonly string[]> => {
  const names = await readdir(runtimes).catch((): string[] => []);
  return RUNTIME_NAMES.filter((name) => names.includes(name));
};
