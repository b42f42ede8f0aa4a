/** The folders that are published: the command as JavaScript, and the native library once for each platform. */
import { chmod, cp, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { VERSION } from '@tollama/core/version';
import { type Bundled, bundle, OLDEST_NODE, optionalPackages, ROOT } from './bundle.ts';
import { writeDeclarations } from './declarations.ts';
import { chunkOf, PUBLIC_ENTRIES } from './entries.ts';

const require = createRequire(import.meta.url);
const NATIVE = dirname(require.resolve('onnxruntime-node/package.json'));
const COMMON_NAME = 'onnxruntime-common';
const commonFile = createRequire(join(NATIVE, 'package.json')).resolve(COMMON_NAME);
const COMMON = commonFile.slice(0, commonFile.lastIndexOf(COMMON_NAME) + COMMON_NAME.length);

export interface Platform {
  readonly os: string;
  readonly cpu: string;
  /** Folder of the binaries. */
  readonly folder: string;
}

export const runtimeName = ({ os, cpu }: Pick<Platform, 'os' | 'cpu'>): string =>
  `@tollama/runtime-${os}-${cpu}`;

/** Platforms that onnxruntime-node brings binaries for. */
export const platforms = async (): Promise<readonly Platform[]> => {
  const [napi] = (await readdir(join(NATIVE, 'bin'))).filter((name) => name.startsWith('napi-'));
  const root = join(NATIVE, 'bin', napi!);
  const found: Platform[] = [];
  for (const os of await readdir(root)) {
    for (const cpu of await readdir(join(root, os))) {
      found.push({ os, cpu, folder: join(root, os, cpu) });
    }
  }
  return found.sort((a, b) => runtimeName(a).localeCompare(runtimeName(b)));
};

export const folderBytes = async (folder: string): Promise<number> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(async (entry) => (await stat(join(entry.parentPath, entry.name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
};

const writeJson = (path: string, value: unknown): Promise<void> =>
  writeFile(path, `${JSON.stringify(value, null, 2)}\n`);

const shared = { version: VERSION, license: 'Apache-2.0' };

/** The text of a package's licence, where it brings one. */
const licenseOf = async (folder: string): Promise<string> => {
  const name = (await readdir(folder)).find((file) => /^licen[cs]e(\.\w+)?$/i.test(file));
  if (name) return readFile(join(folder, name), 'utf8');
  const { license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
    license?: string;
  };
  return `Licence: ${license ?? 'not stated'}\n`;
};

const notices = async (packages: Bundled['packages']): Promise<string> => {
  const sorted = [...packages].sort(([a], [b]) => a.localeCompare(b));
  const parts = await Promise.all(
    sorted.map(async ([name, folder]) => {
      const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
        version: string;
      };
      return `${name} ${version}\n\n${(await licenseOf(folder)).trim()}\n`;
    }),
  );
  return `The bundle holds these packages.\n\n${parts.join(`\n${'-'.repeat(80)}\n\n`)}`;
};

/** Each public entry: its types, and its chunk of the bundle. */
export const exportsOf = (types: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.keys(PUBLIC_ENTRIES).map((entry) => [
      entry,
      { types: `./dist/types/${types[entry]}`, default: `./dist/${chunkOf(entry)}.js` },
    ]),
  );

const manifest = (runtimes: readonly Platform[], types: Readonly<Record<string, string>>) => ({
  name: 'tollama',
  ...shared,
  description: 'Time-series foundation models without Python: pull, run and serve forecasts.',
  type: 'module',
  bin: { tollama: './bin/tollama.mjs' },
  types: `./dist/types/${types['.']}`,
  exports: { ...exportsOf(types), './package.json': './package.json' },
  files: ['bin', 'dist', 'THIRD-PARTY-NOTICES.txt'],
  engines: { node: `>=${OLDEST_NODE}` },
  // npm installs the one for the platform, and passes over the others.
  optionalDependencies: Object.fromEntries(
    runtimes.map((platform) => [runtimeName(platform), VERSION]),
  ),
  // Loaded when they are used: `npm install` them beside tollama where a message asks for one.
  peerDependencies: optionalPackages(),
  peerDependenciesMeta: Object.fromEntries(
    Object.keys(optionalPackages()).map((name) => [name, { optional: true }]),
  ),
});

/** Writes the package of the command. */
export const writeTollamaPackage = async (folder: string): Promise<Bundled> => {
  await mkdir(join(folder, 'bin'), { recursive: true });
  const bundled = await bundle(join(folder, 'dist'));
  const types = await writeDeclarations(join(folder, 'dist/types'));
  const program = join(folder, 'bin', 'tollama.mjs');
  await cp(join(import.meta.dirname, 'tollama.mjs'), program);
  await chmod(program, 0o755);
  const dashboard = join(ROOT, 'packages/web/dist');
  await cp(dashboard, join(folder, 'dist/dashboard'), {
    recursive: true,
    filter: (path) => !path.endsWith('.sources'),
  });
  // Weights that come in the box.
  const messages = 'inference.proto';
  await cp(
    join(ROOT, 'packages/daemon/src/open-inference/grpc', messages),
    join(folder, 'dist', messages),
  );
  await cp(join(ROOT, 'packages/models/pretrained'), join(folder, 'dist/pretrained'), {
    recursive: true,
  });
  await writeJson(join(folder, 'package.json'), manifest(await platforms(), types));
  await writeFile(join(folder, 'THIRD-PARTY-NOTICES.txt'), await notices(bundled.packages));
  for (const name of ['LICENSE', 'README.md']) await cp(join(ROOT, name), join(folder, name));
  return bundled;
};

const isScript = (path: string): boolean => !/\.(map|d\.ts)$/.test(path);

/** Writes the package of the native library for one platform: the binding and its binaries, nothing else. */
export const writeRuntimePackage = async (platform: Platform, folder: string): Promise<void> => {
  const { os, cpu, folder: binaries } = platform;
  const place = join(folder, binaries.slice(NATIVE.length + 1));
  await mkdir(place, { recursive: true });
  await cp(binaries, place, { recursive: true });
  await cp(join(NATIVE, 'dist'), join(folder, 'dist'), { recursive: true, filter: isScript });
  const common = join(folder, 'node_modules/onnxruntime-common');
  await cp(join(COMMON, 'package.json'), join(common, 'package.json'));
  await cp(join(COMMON, 'dist/cjs'), join(common, 'dist/cjs'), {
    recursive: true,
    filter: isScript,
  });
  const { version } = JSON.parse(await readFile(join(NATIVE, 'package.json'), 'utf8')) as {
    version: string;
  };
  await writeFile(
    join(folder, 'README.md'),
    `# ${runtimeName(platform)}\n\nonnxruntime-node ${version} (MIT licence, Microsoft) for ${os} on ${cpu}, without the binaries of other platforms.\n`,
  );
  await writeFile(join(folder, 'LICENSE'), await licenseOf(NATIVE));
  await writeJson(join(folder, 'package.json'), {
    name: runtimeName(platform),
    ...shared,
    license: 'MIT',
    description: `onnxruntime-node ${version} for ${os}-${cpu}`,
    main: 'dist/index.js',
    os: [os],
    cpu: [cpu],
    bundleDependencies: ['onnxruntime-common'],
    dependencies: { 'onnxruntime-common': version },
  });
};
