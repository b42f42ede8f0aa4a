/** Where the declarations of an installed package lie, by the rules of its package.json. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

type Target = string | null | readonly Target[] | { readonly [condition: string]: Target };

interface PackageFile {
  readonly types?: string;
  readonly typings?: string;
  readonly exports?: Target;
}

const CONDITIONS: ReadonlySet<string> = new Set(['types', 'import', 'node', 'default']);

/** The first target whose conditions hold. */
const targetOf = (target: Target | undefined): string | undefined => {
  if (typeof target === 'string') return target;
  if (!target) return undefined;
  const candidates = Array.isArray(target)
    ? (target as readonly Target[])
    : Object.entries(target)
        .filter(([condition]) => CONDITIONS.has(condition))
        .map(([, value]) => value as Target);
  for (const candidate of candidates) {
    const found = targetOf(candidate);
    if (found !== undefined) return found;
  }
  return undefined;
};

const exported = (exports: Target, subpath: string): string | undefined => {
  const isMap = typeof exports === 'object' && exports !== null && !Array.isArray(exports);
  const entries = isMap ? Object.entries(exports as Readonly<Record<string, Target>>) : [];
  if (!entries.some(([key]) => key.startsWith('.'))) {
    return subpath === '.' ? targetOf(exports) : undefined;
  }
  for (const [key, target] of entries) {
    if (key === subpath) return targetOf(target);
    const [before, after] = key.split('*');
    if (after === undefined || !subpath.startsWith(before!) || !subpath.endsWith(after)) continue;
    const middle = subpath.slice(before!.length, subpath.length - after.length);
    return targetOf(target)?.replaceAll('*', middle);
  }
  return undefined;
};

/** ./x.js -> ./x.d.ts, ./x.mjs -> ./x.d.mts */
export const declarationName = (path: string): string =>
  /\.d\.[cm]?ts$/.test(path) ? path : path.replace(/\.([cm]?)[jt]s$/, '.d.$1ts');

/** Name of the package and subpath of it: 'zod/v4/core' is ['zod', './v4/core']. */
export const splitSpecifier = (specifier: string): readonly [string, string] => {
  const parts = specifier.split('/');
  const name = parts.splice(0, specifier.startsWith('@') ? 2 : 1).join('/');
  return [name, parts.length === 0 ? '.' : `./${parts.join('/')}`];
};

/** The folder of a package as a file sees it: the nearest node_modules that has it. */
export const packageFolder = (name: string, from: string): string | undefined => {
  for (let folder = dirname(from); ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return candidate;
    if (folder === dirname(folder)) return undefined;
  }
};

/** The file that a package's own package.json names for `specifier`; whether it exists is not asked. */
export const findModule = (specifier: string, from: string): string | undefined => {
  const [name, subpath] = splitSpecifier(specifier);
  const folder = packageFolder(name, from);
  if (!folder) return undefined;
  const file = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as PackageFile;
  const main = subpath === '.' ? (file.types ?? file.typings) : subpath;
  const stated = file.exports ? exported(file.exports, subpath) : main;
  return stated && join(folder, stated);
};

/** The file that declares what `specifier` gives to `from`; undefined where there is none. */
export const findDeclarations = (specifier: string, from: string): string | undefined => {
  const found = findModule(specifier, from);
  const path = found && declarationName(found);
  return path && existsSync(path) ? path : undefined;
};
