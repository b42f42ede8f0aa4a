/**
 * Makes what is published: npm packages, and a folder that brings its own Node.
 *
 *   node scripts/pack.ts [--output FOLDER] [--all-platforms] [--no-archive]
 *
 * The packages are `tollama` and, for each platform, `@tollama/runtime-OS-CPU`; without --all-platforms only that of
 * this machine. Prints a JSON line with the paths and sizes.
 */
import { execFile } from 'node:child_process';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { VERSION } from '@tollama/core/version';
import { writeArchive } from './packaging/archive.ts';
import {
  folderBytes,
  type Platform,
  platforms,
  runtimeName,
  writeRuntimePackage,
  writeTollamaPackage,
} from './packaging/packages.ts';

const { values: options } = parseArgs({
  allowNegative: true,
  options: {
    output: { type: 'string', default: 'dist' },
    'all-platforms': { type: 'boolean', default: false },
    archive: { type: 'boolean', default: true },
  },
});

const run = promisify(execFile);
const output = resolve(options.output);
const staged = join(output, 'packages');

interface Packed {
  readonly name: string;
  readonly folder: string;
  readonly tarball: string;
  readonly packedBytes: number;
  readonly unpackedBytes: number;
}

/** `npm pack` of a folder. */
const pack = async (name: string, folder: string): Promise<Packed> => {
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', output], {
    cwd: folder,
    maxBuffer: 2 ** 26,
  });
  const parsed = JSON.parse(stdout) as
    | readonly { filename: string }[]
    | Record<string, { filename: string }>;
  const [entry] = Object.values(parsed);
  const tarball = join(output, entry!.filename);
  const { size } = await stat(tarball);
  return { name, folder, tarball, packedBytes: size, unpackedBytes: await folderBytes(folder) };
};

const packRuntime = async (platform: Platform): Promise<Packed> => {
  const name = runtimeName(platform);
  const folder = join(staged, name);
  await writeRuntimePackage(platform, folder);
  return pack(name, folder);
};

const isHere = ({ os, cpu }: Platform): boolean => os === process.platform && cpu === process.arch;

const packArchive = async (tollama: Packed, runtime: Packed) => {
  const folder = join(output, `tollama-${VERSION}-${process.platform}-${process.arch}`);
  const archive = await writeArchive({ tollama: tollama.folder, runtime, folder });
  const { size } = await stat(archive);
  return { folder, archive, packedBytes: size, unpackedBytes: await folderBytes(folder) };
};

const packAll = async (): Promise<void> => {
  await rm(staged, { recursive: true, force: true });
  await mkdir(staged, { recursive: true });
  await run(process.execPath, ['scripts/build-dashboard.mjs', '--if-changed'], {
    cwd: resolve(import.meta.dirname, '..'),
  });
  const folder = join(staged, 'tollama');
  await writeTollamaPackage(folder);
  const tollama = await pack('tollama', folder);
  const wanted = (await platforms()).filter((one) => options['all-platforms'] || isHere(one));
  const runtimes: Packed[] = [];
  for (const platform of wanted) runtimes.push(await packRuntime(platform));
  const runtime = runtimes.find(
    ({ name }) => name === runtimeName({ os: process.platform, cpu: process.arch }),
  );
  if (!runtime)
    throw new Error(`onnxruntime-node has no binaries for ${process.platform}-${process.arch}`);
  const archive = options.archive ? await packArchive(tollama, runtime) : undefined;
  console.log(JSON.stringify({ tollama, runtimes, archive }, null, 2));
};

await packAll();
