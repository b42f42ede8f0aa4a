/**
 * The types of what is published: declarations of every public entry and of all that they mention, other packages'
 * included, so that whoever installs tollama needs no further package to compile against it.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { promisify } from 'node:util';
import { optionalPackages, ROOT } from './bundle.ts';
import { PUBLIC_ENTRIES } from './entries.ts';
import { mentionsOf } from './module-mentions.ts';
import { declarationName, findDeclarations, findModule, splitSpecifier } from './module-types.ts';

const run = promisify(execFile);
const ROOMS = join(ROOT, 'packages');
const LINKS = join(ROOT, 'node_modules/@tollama');

/** Declarations of all sources by tsc, at the paths of the sources; the checker has been over them before. */
const emit = async (folder: string): Promise<void> => {
  const config = join(folder, 'tsconfig.json');
  const settings = {
    extends: join(ROOT, 'tsconfig.json'),
    compilerOptions: {
      noEmit: false,
      noCheck: true,
      declaration: true,
      emitDeclarationOnly: true,
      rewriteRelativeImportExtensions: true,
      rootDir: ROOMS,
      outDir: folder,
      typeRoots: [join(ROOT, 'node_modules/@types')],
    },
    include: [join(ROOMS, '*/src')],
    exclude: [join(ROOMS, '**/*.test.ts'), join(ROOMS, 'web')],
  };
  await writeFile(config, JSON.stringify(settings));
  await run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', config], {
    maxBuffer: 2 ** 24,
  });
};

/** The name that a module's own file goes by: x.d.ts is imported as x.js. */
const importName = (path: string): string => path.replace(/\.d\.([cm]?)ts$/, '.$1js');

/** Programs that are compiled without `esnext` lack the types of `await using`. */
const DISPOSABLES = '/// <reference lib="esnext.disposable" />\n';

/** `@tollama/queue`, as the sources say, is `tollama/queue` to whoever has installed it. */
const published = (text: string): string =>
  (/AsyncDisposable|Symbol\.(?:asyncD|d)ispose/.test(text) ? DISPOSABLES + text : text)
    .replaceAll(/@tollama\/(?=[a-z])(?!runtime-)/g, 'tollama/')
    .replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n');

const PACKAGE_FILE = /^.*[/\\]node_modules[/\\]((?:@[^/\\]+[/\\])?[^/\\]+)[/\\]/;

/** node_modules/zod/v4/core/api.d.ts -> third-party/zod/v4/core/api.d.ts */
const thirdPartyPlace = (file: string): string => {
  const [folder, name] = PACKAGE_FILE.exec(file)!;
  const { type } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    type?: string;
  };
  // Our package.json says `module` of every plain .d.ts below it.
  const path = relative(folder, type === 'module' ? file : file.replace(/\.d\.ts$/, '.d.cts'));
  return join('third-party', name!, path);
};

/** The declarations at a path; CommonJS leaves extensions and `index` out. */
const neighbour = (path: string): string =>
  [declarationName(path), `${path}.d.ts`, join(path, 'index.d.ts')].find(
    (candidate) => /\.d\.[cm]?ts$/.test(candidate) && existsSync(candidate),
  ) ?? path;

/** A walk from the public entries over all that they mention. */
class Declarations {
  readonly #emitted: string;
  readonly #places = new Map<string, string>();
  readonly #waiting: string[] = [];

  constructor(emitted: string) {
    this.#emitted = emitted;
  }

  #isOwn(file: string): boolean {
    return file.startsWith(this.#emitted + sep);
  }

  /** Where a file goes in the package; from now on it is waiting to be written. */
  #place(file: string): string {
    const known = this.#places.get(file);
    if (known !== undefined) return known;
    const place = this.#isOwn(file)
      ? relative(this.#emitted, file).replace(`${sep}src${sep}`, sep)
      : thirdPartyPlace(file);
    this.#places.set(file, place);
    this.#waiting.push(file);
    return place;
  }

  /** The same for a module of the sources. */
  placeSource(path: string): string {
    return this.#place(declarationName(join(this.#emitted, relative(ROOMS, path))));
  }

  #placeOf(specifier: string, from: string): string {
    if (specifier.startsWith('.')) {
      return this.#place(neighbour(resolve(dirname(from), specifier)));
    }
    const source = this.#isOwn(from) ? join(ROOMS, relative(this.#emitted, from)) : from;
    const room = specifier.startsWith('@tollama/') ? findModule(specifier, source) : undefined;
    if (room) return this.placeSource(join(ROOMS, relative(LINKS, room)));
    const [name] = splitSpecifier(specifier);
    const found = name in optionalPackages() ? undefined : findDeclarations(specifier, source);
    if (!found) throw new Error(`${source} mentions '${specifier}', whose types are not published`);
    return this.#place(found);
  }

  #rewrite(file: string, place: string): string {
    let text = readFileSync(file, 'utf8');
    for (const { specifier, start, end } of mentionsOf(file, text)) {
      if (isBuiltin(specifier)) continue;
      const other = importName(this.#placeOf(specifier, file));
      const path = relative(dirname(place), other).replaceAll(sep, '/');
      text = `${text.slice(0, start)}'${path.startsWith('.') ? path : `./${path}`}'${text.slice(end)}`;
    }
    return published(text);
  }

  async write(folder: string): Promise<void> {
    for (let file = this.#waiting.pop(); file !== undefined; file = this.#waiting.pop()) {
      const place = this.#places.get(file)!;
      const path = join(folder, place);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, this.#rewrite(file, place));
    }
  }
}

/**
 * Writes the declarations into a folder.
 *
 * @returns the file of each public entry, relative to the folder
 * @throws Error when an entry mentions types that would not be there after an installation
 */
export const writeDeclarations = async (
  folder: string,
): Promise<Readonly<Record<string, string>>> => {
  const emitted = await realpath(await mkdtemp(join(tmpdir(), 'tollama-declarations-')));
  try {
    await emit(emitted);
    const declarations = new Declarations(emitted);
    const places = Object.entries(PUBLIC_ENTRIES).map(([entry, path]) => [
      entry,
      declarations.placeSource(join(ROOT, path)).replaceAll(sep, '/'),
    ]);
    await declarations.write(folder);
    return Object.fromEntries(places);
  } finally {
    await rm(emitted, { recursive: true, force: true });
  }
};
