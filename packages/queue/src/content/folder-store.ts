import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ContentHash, type ContentStore, contentHash } from './content-store.ts';

/** A folder, of one machine or of a file system that machines share. */
export const openFolderStore = (folder: string): ContentStore => {
  const pathOf = (hash: ContentHash): string => join(folder, hash.slice(0, 2), hash);
  return {
    async put(bytes) {
      const hash = contentHash(bytes);
      const path = pathOf(hash);
      await mkdir(dirname(path), { recursive: true });
      // Beside its place and renamed: whoever finds the file finds it whole.
      const partial = `${path}.${randomUUID()}`;
      await writeFile(partial, bytes);
      await rename(partial, path);
      return hash;
    },
    async get(hash) {
      const bytes = await readFile(pathOf(hash)).catch(() => undefined);
      return bytes && contentHash(bytes) === hash ? bytes : undefined;
    },
    async remove(hash) {
      await rm(pathOf(hash), { force: true });
    },
    async [Symbol.asyncDispose]() {},
  };
};
