/** The rules of the house that a machine can check; each failure names the file. */
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');

/** What each room may import (docs/architecture.md). An import against an arrow fails. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  graph: ['core'],
  models: ['graph', 'core'],
  runner: ['telemetry', 'models', 'core'],
  ingest: ['core'],
  daemon: ['telemetry', 'queue', 'ingest', 'core'],
  client: ['core'],
  // The daemon and the gateway to start them, the runner to have it installed beside.
  cli: [
    'client',
    'ingest',
    'core',
    'daemon',
    'gateway',
    'session',
    'evaluation',
    'mcp',
    'training',
    'batch',
    'queue',
    'telemetry',
    'models',
  ],
  gateway: ['telemetry', 'client', 'ingest', 'core'],
  session: ['client', 'models', 'ingest', 'core'],
  evaluation: ['session', 'models', 'ingest', 'core'],
  training: ['telemetry', 'models', 'graph', 'ingest', 'core'],
  queue: ['core'],
  telemetry: ['core'],
  batch: ['queue', 'client', 'models', 'ingest', 'core'],
  web: ['client', 'core'],
  mcp: ['client', 'core'],
};

/** Files of a room that alone may use a room: the daemon is started by `serve`, the gateway by `gateway`. */
const ONLY_FROM: Readonly<Record<string, RegExp>> = {
  'cli -> daemon': /(^|\/)serve(\.test)?\.ts$/,
  // To export them; what runs models is the runner, or a session.
  'cli -> models': /(^|\/)export(\/|\.ts$)/,
  'cli -> mcp': /(^|\/)mcp(\/|\.ts$)/,
  'cli -> gateway': /(^|\/)(gateway|bench)(-[\w-]+)?(\.test)?\.ts$/,
};

const RUNTIME = 'onnxruntime-node';
const RUNTIME_ROOMS = ['graph', 'runner'];
const MAX_LINES = 400;
const VAGUE = /^(utils?|helpers?|common|misc|managers?)$/i;

interface SourceFile {
  /** Relative to the root, with forward slashes. */
  readonly path: string;
  /** The room, or undefined for files beside the packages. */
  readonly room: string | undefined;
  readonly text: string;
}

interface Import {
  readonly file: SourceFile;
  readonly specifier: string;
}

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const SKIPPED = new Set(['node_modules', 'dist', 'coverage', 'golden', 'public']);

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name.startsWith('.') || SKIPPED.has(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });

const SOURCES: readonly SourceFile[] = ['packages', 'tests', 'bench', 'scripts', 'examples']
  .flatMap((name) => (readdirSync(ROOT).includes(name) ? filesBelow(join(ROOT, name)) : []))
  .filter((path) => /\.(m?[jt]s|tsx)$/.test(path))
  .map((path) => {
    const short = relative(ROOT, path).split(sep).join('/');
    const room = /^packages\/([^/]+)\//.exec(short)?.[1];
    return { path: short, room, text: readFileSync(path, 'utf8') };
  });

/** import and export ... from, import(), require() and require.resolve() of a literal. */
const IMPORT =
  /(?:^|[^\w.$#])(?:(?:import|export)\s+(?:type\s+)?(?:[\w*\s{},$]+?\s+from\s+)?|import\s*\(\s*|require(?:\.resolve)?\s*\(\s*)(['"])([^'"\n]+)\1/gm;

const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');

const importsOf = (file: SourceFile): Import[] =>
  [...withoutComments(file.text).matchAll(IMPORT)].map((match) => ({
    file,
    specifier: match[2]!,
  }));

const IMPORTS = SOURCES.flatMap(importsOf);

const manifestOf = (room: string): Manifest =>
  JSON.parse(readFileSync(join(ROOT, 'packages', room, 'package.json'), 'utf8')) as Manifest;

const ROOMS = readdirSync(join(ROOT, 'packages'));
const MANIFESTS = new Map(ROOMS.map((room) => [room, manifestOf(room)]));
const ROOT_MANIFEST = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;
const ROOM_OF = new Map([...MANIFESTS].map(([room, { name }]) => [name, room]));

const isTest = (path: string): boolean => /\.test\.ts$|\/testing\//.test(path);
const isRelative = (specifier: string): boolean => specifier.startsWith('.');

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

const isBuiltin = (specifier: string): boolean =>
  specifier.startsWith('node:') || builtinModules.includes(specifier);

const declaredBy = ({
  dependencies,
  devDependencies,
  peerDependencies,
  optionalDependencies,
}: Manifest): string[] =>
  [dependencies, devDependencies, peerDependencies, optionalDependencies].flatMap((group) =>
    Object.keys(group ?? {}),
  );

const told = ({ file, specifier }: Import, why: string): string =>
  `${file.path} imports '${specifier}': ${why}`;

test('sources are found', () => {
  expect(SOURCES.length).toBeGreaterThan(50);
  expect(IMPORTS.length).toBeGreaterThan(SOURCES.length);
  for (const room of ROOMS)
    expect(ARROWS, `packages/${room} has no arrows here`).toHaveProperty(room);
});

test('imports follow the arrows', () => {
  const wrong = IMPORTS.flatMap((found) => {
    const { room } = found.file;
    const target = ROOM_OF.get(packageOf(found.specifier));
    if (room === undefined || target === undefined || target === room) return [];
    if (!ARROWS[room]?.includes(target)) {
      return [told(found, `${room} may import ${ARROWS[room]?.join(', ') || 'nothing'}`)];
    }
    const only = ONLY_FROM[`${room} -> ${target}`];
    return only && !only.test(found.file.path) && !isTest(found.file.path)
      ? [told(found, `only ${only} may`)]
      : [];
  });
  expect(wrong).toEqual([]);
});

test('the table of the documentation tells the arrows', () => {
  const text = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `(\w+)` +\|.*\| ([^|]+?) +\|$/gm)];
  const told = rows.map(([, room, cell]) => [room, (cell!.match(/\w+/g) ?? []).toSorted()]);
  const arrows = Object.entries(ARROWS).map(([room, rooms]) => [room, rooms.toSorted()]);
  expect(Object.fromEntries(told)).toEqual(Object.fromEntries(arrows));
});

test('relative imports stay within their package', () => {
  const wrong = IMPORTS.filter(({ specifier }) => isRelative(specifier)).flatMap((found) => {
    const { path, room } = found.file;
    if (room === undefined) return [];
    const target = relative(ROOT, resolve(ROOT, dirname(path), found.specifier));
    const isInside = target.split(sep).slice(0, 2).join('/') === `packages/${room}`;
    return isInside ? [] : [told(found, `it leaves packages/${room}; import the package`)];
  });
  expect(wrong).toEqual([]);
});

test('no file of the models imports itself around a circle, types included', () => {
  const within = Map.groupBy(
    IMPORTS.filter(({ file, specifier }) => file.room === 'models' && isRelative(specifier)),
    ({ file }) => file.path,
  );
  const imported = (path: string): string[] =>
    (within.get(path) ?? []).map(({ specifier }) =>
      relative(ROOT, resolve(ROOT, dirname(path), specifier))
        .split(sep)
        .join('/'),
    );
  const reaches = (path: string): ReadonlySet<string> => {
    const found = new Set<string>();
    const open = imported(path);
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (found.has(next)) continue;
      found.add(next);
      open.push(...imported(next));
    }
    return found;
  };
  expect([...within.keys()].filter((path) => reaches(path).has(path))).toEqual([]);
});

test('imported packages are declared', () => {
  const atRoot = declaredBy(ROOT_MANIFEST);
  const wrong = IMPORTS.flatMap((found) => {
    const { specifier, file } = found;
    if (isRelative(specifier) || isBuiltin(specifier) || specifier.startsWith('file:')) return [];
    const name = packageOf(specifier);
    const manifest = file.room === undefined ? undefined : MANIFESTS.get(file.room);
    if (!manifest) {
      return atRoot.includes(name) || ROOM_OF.has(name)
        ? []
        : [told(found, 'package.json does not declare it')];
    }
    const declared = [...declaredBy(manifest), manifest.name, ...(isTest(file.path) ? atRoot : [])];
    return declared.includes(name)
      ? []
      : [told(found, `packages/${file.room}/package.json does not declare it`)];
  });
  expect(wrong).toEqual([]);
});

test('packages declare no dependency against the arrows', () => {
  const wrong = ROOMS.flatMap((room) =>
    declaredBy(MANIFESTS.get(room)!).flatMap((name) => {
      const target = ROOM_OF.get(name);
      // The command installs the runner, which the daemon starts as a process, and the files of the
      // dashboard, which it serves; nobody imports either.
      const isInstalled = room === 'cli' && (target === 'runner' || target === 'web');
      if (target === undefined || ARROWS[room]?.includes(target) || isInstalled) return [];
      return [`packages/${room}/package.json depends on ${name}`];
    }),
  );
  expect(wrong).toEqual([]);
});

test(`only ${RUNTIME_ROOMS.join(' and ')} know ${RUNTIME}`, () => {
  const isAllowed = ({ room }: SourceFile): boolean =>
    room === undefined || RUNTIME_ROOMS.includes(room);
  const importers = IMPORTS.filter(
    ({ specifier, file }) => specifier.startsWith('onnxruntime') && !isAllowed(file),
  );
  const owners = ROOMS.filter((room) => declaredBy(MANIFESTS.get(room)!).includes(RUNTIME));
  expect(importers.map((found) => told(found, 'it computes through the runner'))).toEqual([]);
  expect(owners.filter((room) => !RUNTIME_ROOMS.includes(room))).toEqual([]);
});

test('names say what a file or a folder holds', () => {
  const vague = SOURCES.filter(({ path }) =>
    path.split('/').some((part) => VAGUE.test(part.replace(/\..*$/, ''))),
  );
  expect(vague.map(({ path }) => `${path} is named for nothing`)).toEqual([]);
});

test(`no source is longer than ${MAX_LINES} lines`, () => {
  // Tables of test cases may be.
  const long = SOURCES.filter(({ path }) => !path.endsWith('.test.ts'))
    .map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > MAX_LINES)
    .map(({ path, lines }) => `${path} has ${lines} lines`);
  expect(long).toEqual([]);
});

/** Folders of a developer's own machine; written in pieces, so that this file does not match. */
const MACHINE_PATHS = ['/work/', '/root/', '/home/', '/Users/', 'C:\\\\Users'].map(
  (path) => new RegExp(`['"\`( ]${path}`),
);

test('no path of one machine is written down', () => {
  const wrong = SOURCES.filter(({ path }) => path !== 'tests/architecture.test.ts').flatMap(
    ({ path, text }) =>
      text
        .split('\n')
        .flatMap((line, i) =>
          MACHINE_PATHS.some((pattern) => pattern.test(line))
            ? [`${path}:${i + 1} ${line.trim()}`]
            : [],
        ),
  );
  expect(wrong).toEqual([]);
});
