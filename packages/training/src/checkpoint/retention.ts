/** Which checkpoints stay: the last ones, every so many steps, and whatever a pointer names. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { listCheckpoints, POINTERS, readPointer, type StepFolder } from './checkpoint-folder.ts';

export interface Retention {
  /** Latest checkpoints that stay. */
  readonly last: number;
  /** Those whose step is a multiple of it stay for good; none when absent. */
  readonly every?: number | undefined;
}

export const RETENTION_DEFAULTS: Retention = { last: 3 };

/** Names that may go. */
export const outdated = (
  found: readonly StepFolder[],
  pointed: ReadonlySet<string>,
  { last, every }: Retention,
): readonly string[] => {
  const recent = new Set(found.slice(Math.max(0, found.length - last)).map(({ name }) => name));
  return found
    .filter(({ name, step }) => {
      const isMilestone = every !== undefined && step % every === 0;
      return !recent.has(name) && !pointed.has(name) && !isMilestone;
    })
    .map(({ name }) => name);
};

/** Deletes what need not stay; gives the names. */
export const prune = async (folder: string, retention: Retention): Promise<readonly string[]> => {
  const pointed = await Promise.all(POINTERS.map((pointer) => readPointer(folder, pointer)));
  const names = new Set(pointed.filter((name) => name !== undefined));
  const gone = outdated(await listCheckpoints(folder), names, retention);
  for (const name of gone) await rm(join(folder, name), { recursive: true, force: true });
  return gone;
};
