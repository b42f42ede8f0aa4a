/**
 * The sources as JavaScript that any supported Node runs: Node strips no types below node_modules, so what is
 * published is bundled. All files lie flat in one folder, and find each other by their names.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { type OutputBundle, type OutputOptions, type Plugin, rolldown } from 'rolldown';
import { chunkOf, PUBLIC_ENTRIES, WEB_ENTRY } from './entries.ts';

export const ROOT = resolve(import.meta.dirname, '../..');

/** The oldest Node that the bundle is lowered to; `engines` says the same. */
export const OLDEST_NODE = '20.19';

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const manifests = (): readonly Manifest[] =>
  readdirSync(join(ROOT, 'packages')).map(
    (room) =>
      JSON.parse(readFileSync(join(ROOT, 'packages', room, 'package.json'), 'utf8')) as Manifest,
  );

/** Optional in their rooms, and small enough to be in the bundle. */
const SMALL: readonly string[] = ['hyparquet-writer'];

/** Packages that rooms load when they are used, and do without: name and range of versions. */
export const optionalPackages = (): Readonly<Record<string, string>> =>
  Object.fromEntries(
    manifests()
      .flatMap(({ optionalDependencies }) => Object.entries(optionalDependencies ?? {}))
      .filter(([name]) => !SMALL.includes(name))
      // A later version is welcome; of packages that have nothing but pre-releases only '*' says so.
      .map(([name, version]) => [name, version.includes('-') ? '*' : `^${version}`]),
  );

/** The command, what it starts as a process, and what other programs import. */
const ENTRIES: Readonly<Record<string, string>> = {
  main: 'packages/cli/src/main.ts',
  'tollama-runner': 'packages/runner/bin/tollama-runner.mjs',
  'tollama-train': 'packages/training/bin/tollama-train.mjs',
  onnxruntime: 'scripts/packaging/native-runtime.ts',
  ...Object.fromEntries(
    Object.entries(PUBLIC_ENTRIES)
      .filter(([entry]) => entry !== WEB_ENTRY)
      .map(([entry, path]) => [chunkOf(entry), path]),
  ),
};

/** Places that sources look up by package name or path, and where they are in the bundle. */
const PLACES: readonly (readonly [string, string])[] = [
  [
    "import.meta.resolve('@tollama/training/bin/tollama-train.mjs')",
    "new URL('./tollama-train.js', import.meta.url).href",
  ],
  [
    "join(import.meta.dirname, '..', '..', 'pretrained', 'tollama-nano')",
    "join(import.meta.dirname, 'pretrained', 'tollama-nano')",
  ],
  [
    "import.meta.resolve('@tollama/runner/bin/tollama-runner.mjs')",
    "new URL('./tollama-runner.js', import.meta.url).href",
  ],
  [
    "import.meta.resolve('@tollama/web/dist/index.html')",
    "new URL('./dashboard/index.html', import.meta.url).href",
  ],
  ["import.meta.resolve('onnxruntime-node', runner)", "new URL('./onnxruntime.js', runner).href"],
  [
    "new URL('../../bin/tollama.mjs', import.meta.url)",
    "new URL('../bin/tollama.mjs', import.meta.url)",
  ],
];

const OWN_FILE = /new URL\('(\.[^']+\.ts)', import\.meta\.url\)/g;

/** packages/runner/src/engine/worker.ts -> runner-engine-worker.js */
const workerName = (path: string): string =>
  `${relative(join(ROOT, 'packages'), path)
    .split(sep)
    .filter((part) => part !== 'src')
    .join('-')
    .replace(/\.ts$/, '')}.js`;

/** Worker threads become entries; places that are looked up are those of the bundle. */
const placesPlugin: Plugin = {
  name: 'places',
  transform(code, id) {
    if (!id.startsWith(ROOT) || id.includes('node_modules')) return undefined;
    let changed = code;
    for (const [from, to] of PLACES) changed = changed.replaceAll(from, to);
    changed = changed.replaceAll(OWN_FILE, (_, path: string) => {
      const worker = resolve(dirname(id), path);
      const fileName = workerName(worker);
      this.emitFile({ type: 'chunk', id: worker, fileName });
      return `new URL('./${fileName}', import.meta.url)`;
    });
    return changed === code ? undefined : changed;
  },
};

const NATIVE_RUNTIME = join(ROOT, 'scripts/packaging/native-runtime.ts');
const OLD_NODE = join(ROOT, 'scripts/packaging/old-node.ts');

const runtimePlugin: Plugin = {
  name: 'native-runtime',
  resolveId(source, importer) {
    return source === 'onnxruntime-node' && importer !== NATIVE_RUNTIME
      ? NATIVE_RUNTIME
      : undefined;
  },
};

const FROM_NODE = /^import \{([^}]*)\} from '(node:(?:zlib|module))';/gm;

/** A missing function of Node fails when it is called, not when the program starts. */
const lenientImport = (_: string, names: string, from: string): string => {
  const values = names
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && !name.startsWith('type '));
  const types = names.split(',').filter((name) => name.trim().startsWith('type '));
  const fallback = (name: string): string =>
    name === 'enableCompileCache'
      ? '() => undefined'
      : `() => { throw new Error('${from} of this Node has no ${name}; a newer one has') }`;
  const space = from.replace(':', '_');
  return [
    `import * as ${space} from ${JSON.stringify(from)};`,
    ...(types.length > 0 ? [`import { ${types.join(',')} } from ${JSON.stringify(from)};`] : []),
    `const { ${values.map((name) => `${name} = ${fallback(name)}`).join(', ')} } = ${space};`,
  ].join(' ');
};

/** Lets sources that are written for a new Node start on an old one. */
const oldNodePlugin: Plugin = {
  name: 'old-node',
  transform(code, id) {
    if (!id.startsWith(ROOT) || id.includes('node_modules') || id === OLD_NODE) return undefined;
    const lenient = code.replace(/^#!.*\n/, '').replaceAll(FROM_NODE, lenientImport);
    const isEntry = this.getModuleInfo(id)?.isEntry ?? false;
    const whole = isEntry ? `import ${JSON.stringify(OLD_NODE)};\n${lenient}` : lenient;
    return whole === code ? undefined : whole;
  },
};

/** Refuses a bundle that would look for something that is not published. */
const checkBundle = (
  files: OutputBundle | readonly OutputBundle[string][],
  optional: readonly string[],
): void => {
  for (const file of Object.values(files)) {
    if (file.type !== 'chunk') continue;
    const strangers = [...file.imports, ...file.dynamicImports].filter(
      (name) =>
        !(name in files) &&
        !name.startsWith('node:') &&
        !builtinModules.includes(name) &&
        !optional.some((known) => name === known || name.startsWith(`${known}/`)) &&
        !Object.values(files).some(({ fileName }) => fileName === name),
    );
    if (strangers.length > 0) {
      throw new Error(`${file.fileName} imports ${strangers.join(', ')}, which is not published`);
    }
    const lost =
      /import\.meta\.resolve\([^)]*\)|new URL\('\.[^']*\.ts'|import\.meta\.dirname,\s*['"`]\.\./.exec(
        file.code,
      );
    if (lost)
      throw new Error(`${file.fileName} looks for ${lost[0]}, which a bundle does not have`);
  }
};

/** Refuses a bundle whose client would not load in a page. */
const checkClient = (files: readonly OutputBundle[string][]): void => {
  const seen = new Set<string>();
  const visit = (name: string): void => {
    const file = files.find(({ fileName }) => fileName === name);
    if (file?.type !== 'chunk') throw new Error(`the client imports ${name}, which no page has`);
    if (seen.has(name)) return;
    seen.add(name);
    for (const other of [...file.imports, ...file.dynamicImports]) visit(other);
  };
  visit('client.js');
};

/** Names of the third-party packages in the bundle, with the folder each came from. */
const bundledPackages = (modules: Iterable<string>): ReadonlyMap<string, string> => {
  const found = new Map<string, string>();
  for (const id of modules) {
    const match = /^(.*[/\\]node_modules[/\\]((?:@[^/\\]+[/\\])?[^/\\]+))[/\\]/.exec(id);
    if (match && !match[2]!.startsWith('@tollama'))
      found.set(match[2]!.replaceAll('\\', '/'), match[1]!);
  }
  return found;
};

export interface Bundled {
  readonly files: readonly string[];
  readonly sizeBytes: number;
  readonly packages: ReadonlyMap<string, string>;
}

/** Lines are kept: a stack trace shows the one that failed. */
const READABLE: Partial<OutputOptions> = {
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: '[name]-[hash].js',
  minify: { compress: true, mangle: false, codegen: { removeWhitespace: false } },
  comments: false,
};

/** The part for pages, in one file. */
const bundleForPages = async (folder: string): Promise<void> => {
  await using build = await rolldown({
    input: { [chunkOf(WEB_ENTRY)]: join(ROOT, PUBLIC_ENTRIES[WEB_ENTRY]) },
    cwd: ROOT,
    platform: 'browser',
    checks: { circularDependency: false },
  });
  const { output } = await build.write({ dir: folder, ...READABLE });
  const [chunk, ...others] = output;
  if (others.length > 0 || chunk.imports.length > 0) {
    throw new Error(
      `${chunk.fileName} needs ${[...chunk.imports, ...others.map(({ fileName }) => fileName)].join(', ')}`,
    );
  }
};

/** Writes the bundle into a folder. */
export const bundle = async (folder: string): Promise<Bundled> => {
  const optional = Object.keys(optionalPackages());
  await using build = await rolldown({
    input: Object.fromEntries(
      Object.entries(ENTRIES).map(([name, path]) => [name, join(ROOT, path)]),
    ),
    cwd: ROOT,
    platform: 'node',
    external: (id) => optional.some((name) => id === name || id.startsWith(`${name}/`)),
    plugins: [placesPlugin, runtimePlugin, oldNodePlugin],
    transform: { target: `node${OLDEST_NODE}` },
    checks: { circularDependency: false },
  });
  const { output } = await build.write({ dir: folder, ...READABLE });
  await bundleForPages(folder);
  checkBundle(output, optional);
  checkClient(output);
  const chunks = output.filter((file) => file.type === 'chunk');
  return {
    files: output.map(({ fileName }) => basename(fileName)),
    sizeBytes: chunks.reduce((sum, { code }) => sum + Buffer.byteLength(code), 0),
    packages: bundledPackages(chunks.flatMap(({ moduleIds }) => moduleIds)),
  };
};
