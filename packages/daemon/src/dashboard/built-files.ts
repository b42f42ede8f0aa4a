/**
 * The built dashboard: a folder of static files of the package `@tollama/web`, which nobody imports here.
 * It is read whole, so that an index and the files that it names always belong together.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

export interface BuiltFile {
  readonly bytes: Buffer;
  readonly gzipped: Buffer;
  readonly contentType: string;
  readonly etag: string;
}

/** By path below the dashboard: `index.html`, `assets/main-1a2b3c4d.js`. */
export type BuiltFiles = ReadonlyMap<string, BuiltFile>;

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
};

/** The folder of the built files; undefined where the package is not installed. */
export const builtFolder = (): string | undefined => {
  try {
    return fileURLToPath(new URL('.', import.meta.resolve('@tollama/web/dist/index.html')));
  } catch {
    return undefined;
  }
};

const compress = promisify(gzip);

const readBuiltFile = async (path: string): Promise<BuiltFile> => {
  const bytes = await readFile(path);
  return {
    bytes,
    gzipped: await compress(bytes, { level: 9 }),
    contentType: CONTENT_TYPES[extname(path)] ?? 'application/octet-stream',
    etag: `"${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}"`,
  };
};

const readFolder = async (folder: string): Promise<BuiltFiles> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name));
  const named = paths.map(async (path): Promise<[string, BuiltFile]> => {
    return [relative(folder, path).split(sep).join('/'), await readBuiltFile(path)];
  });
  return new Map(await Promise.all(named));
};

/** Reads the built files when they are first asked for, and again after another build. */
export class Dashboard {
  readonly #folder: string | undefined;
  #modifiedMs = -1;
  #files: Promise<BuiltFiles> = Promise.resolve(new Map());

  constructor(folder: string | undefined = builtFolder()) {
    this.#folder = folder;
  }

  /** Undefined when the dashboard was not built. */
  async files(): Promise<BuiltFiles | undefined> {
    if (this.#folder === undefined) return undefined;
    const index = await stat(join(this.#folder, 'index.html')).catch(() => undefined);
    if (!index) return undefined;
    if (index.mtimeMs !== this.#modifiedMs) {
      this.#modifiedMs = index.mtimeMs;
      this.#files = readFolder(this.#folder);
    }
    try {
      return await this.#files;
    } catch {
      // A build is replacing the folder; the next request reads it again.
      this.#modifiedMs = -1;
      return undefined;
    }
  }
}
