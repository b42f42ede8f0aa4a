import { readFile } from 'node:fs/promises';

const PAGE_BYTES = 4096;

/** Resident bytes of a process, where the system tells them without a helper program; else undefined. */
export const residentBytes = async (pid: number): Promise<number | undefined> => {
  const text = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => undefined);
  const pages = Number(text?.split(' ')[1]);
  return Number.isFinite(pages) ? pages * PAGE_BYTES : undefined;
};
