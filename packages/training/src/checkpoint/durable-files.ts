/** Files and folders that a crash of the machine leaves either old or new. */
import { open, rename, rm } from 'node:fs/promises';

/** Makes the names in a folder durable. Windows has no such call and needs none. */
export const syncFolder = async (path: string): Promise<void> => {
  if (process.platform === 'win32') return;
  await using folder = await open(path, 'r');
  await folder.sync();
};

export const writeDurably = async (path: string, content: Uint8Array | string): Promise<void> => {
  await using file = await open(path, 'w');
  await file.writeFile(content);
  await file.sync();
};

/** Puts a file in place of another at once. */
export const replaceFile = async (path: string, content: string): Promise<void> => {
  const partial = `${path}.tmp`;
  await writeDurably(partial, content);
  await rename(partial, path);
};

/** Puts a folder in place of another; what stood there goes last. */
export const replaceFolder = async (partial: string, path: string): Promise<void> => {
  const old = `${path}.old`;
  await rm(old, { recursive: true, force: true });
  await rename(path, old).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  await rename(partial, path);
  await rm(old, { recursive: true, force: true });
};
