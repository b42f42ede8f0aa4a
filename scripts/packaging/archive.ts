/** One folder with everything, its own Node included: unpack it and run `bin/tollama`. */
import { execFile } from 'node:child_process';
import { chmod, copyFile, cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const LAUNCHER = `#!/bin/sh
# Finds its folder through links, and runs the Node that lies there.
self=$0
while [ -h "$self" ]; do
  target=$(readlink "$self")
  case $target in /*) self=$target ;; *) self=$(dirname "$self")/$target ;; esac
done
here=$(CDPATH= cd -- "$(dirname -- "$self")/.." && pwd)
exec "$here/bin/node" "$here/lib/node_modules/tollama/bin/tollama.mjs" "$@"
`;

export interface ArchiveRequest {
  readonly tollama: string;
  /** Folder and name of the native library's package. */
  readonly runtime: { readonly folder: string; readonly name: string };
  readonly folder: string;
}

/** Symbols that only a debugger reads are a tenth of Node; a machine without `strip` keeps them. */
const stripped = async (program: string): Promise<void> => {
  const smaller = `${program}.stripped`;
  try {
    await run('strip', ['--strip-unneeded', '-o', smaller, program]);
    await run(smaller, ['--version']);
    await copyFile(smaller, program);
  } catch {
    // Kept as it is.
  } finally {
    await rm(smaller, { force: true });
  }
};

/** Lays the folder out and packs it; gives the archive's path. */
export const writeArchive = async ({
  tollama,
  runtime,
  folder,
}: ArchiveRequest): Promise<string> => {
  await rm(folder, { recursive: true, force: true });
  const modules = join(folder, 'lib/node_modules');
  await mkdir(join(folder, 'bin'), { recursive: true });
  await cp(tollama, join(modules, 'tollama'), { recursive: true });
  await cp(runtime.folder, join(modules, runtime.name), { recursive: true });
  const node = join(folder, 'bin/node');
  await copyFile(process.execPath, node);
  await chmod(node, 0o755);
  await stripped(node);
  const launcher = join(folder, 'bin/tollama');
  await writeFile(launcher, LAUNCHER, { mode: 0o755 });
  const archive = `${folder}.tar.gz`;
  await run('tar', ['-czf', archive, '-C', dirname(folder), basename(folder)]);
  return archive;
};
