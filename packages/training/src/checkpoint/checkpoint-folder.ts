/** The folder of a run's checkpoints: their names, and the pointers to the latest and the best of them. */
import { access, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { refuseCheckpoint } from './manifest.ts';

export const POINTERS = ['latest', 'best'] as const;
export type Pointer = (typeof POINTERS)[number];

const STEP_FOLDER = /^step-(\d+)$/;
const DIGITS = 6;

/** `step-000123` */
export const stepFolder = (step: number): string => `step-${String(step).padStart(DIGITS, '0')}`;

/** Written on a halt: the last good state, outside of what retention may delete. */
export const haltFolder = (step: number): string => `halt-${stepFolder(step)}`;

export interface StepFolder {
  readonly name: string;
  readonly step: number;
}

/** Whole checkpoints by their steps, oldest first. */
export const listCheckpoints = async (folder: string): Promise<readonly StepFolder[]> => {
  const names = await readdir(folder).catch(() => []);
  return names
    .flatMap((name) => {
      const step = STEP_FOLDER.exec(name)?.[1];
      return step === undefined ? [] : [{ name, step: Number(step) }];
    })
    .toSorted((a, b) => a.step - b.step);
};

/** The name that a pointer holds; undefined when there is none. */
export const readPointer = async (
  folder: string,
  pointer: Pointer,
): Promise<string | undefined> => {
  const text = await readFile(join(folder, pointer), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const name = text.trim();
  if (/^(halt-)?step-\d+$/.test(name)) return name;
  return refuseCheckpoint(folder, `the pointer '${pointer}' holds '${name}'`);
};

/**
 * The folder that a pointer names; undefined when there is none. A crash in the middle of a replacement left the
 * old folder aside: it is put back.
 */
export const findCheckpoint = async (
  folder: string,
  pointer: Pointer,
): Promise<string | undefined> => {
  const name = await readPointer(folder, pointer);
  if (name === undefined) return undefined;
  const path = join(folder, name);
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (!isThere) await rename(`${path}.old`, path).catch(() => {});
  return path;
};
