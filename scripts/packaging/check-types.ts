/** The types of an installed package, as a strict program in TypeScript and an editor see them. */
import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './bundle.ts';
import { documentedPrograms } from './documented-programs.ts';
import { PUBLIC_ENTRIES } from './entries.ts';
import { LanguageServer } from './language-server.ts';

const run = promisify(execFile);
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');

/** Refused where types have become `any`, and read by the editor's check. */
const CLIENT_PROGRAM = `import { TollamaClient } from 'tollama';

const client = new TollamaClient();
const series = [{ id: 'a', timestamps: ['2024-01-01'], target: [1] }];
export const main = async (): Promise<readonly number[]> => {
  const { forecasts } = await client.forecast({ model: 'auto', horizon: 2, series });
  // @ts-expect-error a mean is no text
  const text: string = forecasts[0]!.mean;
  // @ts-expect-error a horizon is a number
  await client.forecast({ model: 'auto', horizon: text, series });
  return forecasts[0]!.mean;
};
`;

const COMMON = {
  strict: true,
  target: 'es2022',
  noEmit: true,
  // Our own declarations are what is checked.
  skipLibCheck: false,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
};

const NODE_LIBRARIES = { lib: ['es2022'], types: ['node'] };

/** Compilers' settings that programs have: in Node, behind a bundler, in CommonJS, and in a page without Node's types. */
const SETTINGS: Readonly<Record<string, object>> = {
  nodenext: { ...NODE_LIBRARIES, module: 'nodenext', moduleResolution: 'nodenext' },
  bundler: { ...NODE_LIBRARIES, module: 'preserve', moduleResolution: 'bundler' },
  page: { lib: ['es2022', 'dom'], types: [], module: 'preserve', moduleResolution: 'bundler' },
  // They use onnxruntime-web, which is not ours to check.
  documents: { module: 'nodenext', lib: ['es2022', 'dom'], types: ['node'], skipLibCheck: true },
};

const specifierOf = (entry: string): string => `tollama${entry.slice(1)}`;

/** Every name that a module has when it runs is one that its types tell, and the other way round. */
const namesProgram = async (folder: string, node: string): Promise<string> => {
  const specifiers = Object.keys(PUBLIC_ENTRIES).map(specifierOf);
  const script = `const all = {};
    for (const name of ${JSON.stringify(specifiers)}) all[name] = Object.keys(await import(name));
    console.log(JSON.stringify(all));`;
  const { stdout } = await run(node, ['--input-type=module', '-e', script], { cwd: folder });
  const names = JSON.parse(stdout) as Readonly<Record<string, readonly string[]>>;
  const modules = Object.entries(names).map(([specifier, keys], i) => {
    const record = keys.map((key) => `${key}: true`).join(', ');
    return `import type * as m${i} from ${JSON.stringify(specifier)};
export const all${i}: Record<keyof typeof m${i}, true> = { ${record} };`;
  });
  return `${modules.join('\n')}\n`;
};

const compile = async (folder: string, name: string, files: readonly string[]): Promise<void> => {
  const config = join(folder, `tsconfig.${name}.json`);
  await writeFile(
    config,
    JSON.stringify({ compilerOptions: { ...COMMON, ...SETTINGS[name] }, files }),
  );
  await run(process.execPath, [TSC, '-p', config]).catch((error: { stdout?: string }) => {
    throw new Error(`${name}: the types do not hold\n${error.stdout ?? String(error)}`);
  });
};

/** @throws Error when an editor would not show a method's type with its words */
export const checkEditor = async (folder: string): Promise<void> => {
  using server = new LanguageServer(TSC, folder);
  const path = join(folder, 'use.mts');
  await server.open(path);
  const shown = await server.hover(path, 'forecast({');
  for (const part of ['Promise<ForecastResponse>', 'One forecast for each series']) {
    if (!shown.includes(part)) throw new Error(`an editor shows of forecast: ${shown}`);
  }
};

/**
 * A project beside an installation: its packages, the types of others, and programs.
 *
 * @returns the paths of the examples
 */
export const makeProject = async (modules: string, folder: string): Promise<readonly string[]> => {
  await mkdir(join(folder, 'node_modules/@types'), { recursive: true });
  await symlink(join(modules, 'tollama'), join(folder, 'node_modules/tollama'), 'junction');
  for (const name of ['@types/node', 'undici-types', 'onnxruntime-web', 'onnxruntime-common']) {
    await cp(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name), {
      recursive: true,
      dereference: true,
      filter: (path) => !/\.(?:wasm|map|m?js)$/.test(path),
    });
  }
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }\n');
  await writeFile(join(folder, 'tsconfig.json'), '{ "extends": "./tsconfig.nodenext.json" }\n');
  await writeFile(join(folder, 'use.mts'), CLIENT_PROGRAM);
  await writeFile(join(folder, 'use.cts'), CLIENT_PROGRAM);
  const examples = join(ROOT, 'examples/typescript');
  await cp(examples, folder, { recursive: true });
  const names = (await readdir(examples)).filter((name) => name.endsWith('.ts'));
  return names.map((name) => join(folder, name));
};

/**
 * Compiles a project's programs under every setting.
 *
 * @throws Error with the compiler's words
 */
export const compileProject = async (folder: string, more: readonly string[]): Promise<void> => {
  await compile(folder, 'nodenext', ['use.mts', 'use.cts', ...more]);
  await compile(folder, 'bundler', ['use.mts', ...more]);
  await compile(folder, 'page', ['use.mts']);
  const documented = await documentedPrograms();
  for (const { name, text } of documented) await writeFile(join(folder, `${name}.mts`), text);
  await compile(
    folder,
    'documents',
    documented.map(({ name }) => `${name}.mts`),
  );
};

/**
 * Compiles strict programs against an installation and asks an editor's question.
 *
 * @param modules the node_modules folder that holds tollama
 * @param folder a new folder for the programs
 * @param node the program that imports what is installed
 * @returns the paths of the examples, ready to run
 */
export const checkTypes = async (
  modules: string,
  folder: string,
  node: string,
): Promise<readonly string[]> => {
  const examples = await makeProject(modules, folder);
  const names = join(folder, 'names.ts');
  await writeFile(names, await namesProgram(folder, node));
  await compileProject(folder, [names, ...examples]);
  await compile(folder, 'page', [names]);
  await checkEditor(folder);
  return examples;
};
