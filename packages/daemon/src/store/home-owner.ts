/** Which daemon a state folder belongs to: what looks like a crash's leftover may be another daemon's work. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Home } from './home.ts';

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

const pathOf = (home: Home): string => join(home.path, 'daemon.pid');

const ownerOf = async (home: Home): Promise<number | undefined> => {
  const pid = Number(await readFile(pathOf(home), 'utf8').catch(() => ''));
  return Number.isInteger(pid) && pid > 0 && isAlive(pid) ? pid : undefined;
};

export interface HomeClaim extends AsyncDisposable {
  /** Process of another daemon that works in the same folder; undefined where this one is alone. */
  readonly other: number | undefined;
}

/** Notes this process as the folder's daemon, unless another one that lives is. */
export const claimHome = async (home: Home): Promise<HomeClaim> => {
  const owner = await ownerOf(home);
  const other = owner === process.pid ? undefined : owner;
  if (other === undefined) await writeFile(pathOf(home), `${process.pid}\n`);
  return {
    other,
    async [Symbol.asyncDispose]() {
      if ((await ownerOf(home)) === process.pid) await rm(pathOf(home), { force: true });
    },
  };
};
