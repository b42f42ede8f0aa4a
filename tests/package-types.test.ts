/** The types that the published package carries: whole, of nothing but what is public, and in words. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkEditor, compileProject, makeProject } from '../scripts/packaging/check-types.ts';
import { writeDeclarations } from '../scripts/packaging/declarations.ts';
import { mentionsOf } from '../scripts/packaging/module-mentions.ts';
import { declarationName, findDeclarations } from '../scripts/packaging/module-types.ts';
import { exportsOf } from '../scripts/packaging/packages.ts';

let scratch: string;
let types: string;
let files: readonly string[];

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tollama-package-types-'));
  const tollama = join(scratch, 'modules/tollama');
  types = join(tollama, 'dist/types');
  await mkdir(types, { recursive: true });
  const exports = exportsOf(await writeDeclarations(types));
  const manifest = { name: 'tollama', version: '0.0.0', type: 'module', exports };
  await writeFile(join(tollama, 'package.json'), JSON.stringify(manifest));
  const entries = await readdir(types, { recursive: true, withFileTypes: true });
  files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}, 120_000);

afterAll(() => rm(scratch, { recursive: true, force: true }));

test('strict programs compile against them, and an editor shows what a method does', async () => {
  const project = join(scratch, 'project');
  const examples = await makeProject(join(scratch, 'modules'), project);
  await compileProject(project, examples);
  await checkEditor(project);
}, 120_000);

test('nothing mentions what is not there', async () => {
  const known = new Set(files);
  for (const file of files) {
    for (const { specifier } of mentionsOf(file, await readFile(file, 'utf8'))) {
      if (specifier.startsWith('node:') || specifier === 'stream' || specifier === 'http') continue;
      expect(specifier).toMatch(/^\./);
      expect(known).toContain(declarationName(join(dirname(file), specifier)));
    }
  }
});

test('no helpers of tests, no names of the workspace, nothing big', async () => {
  expect(files.filter((file) => /[/\\]testing[/\\]|\.test\./.test(file))).toEqual([]);
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  expect(texts.filter((text) => text.includes('@tollama/'))).toEqual([]);
  expect(texts.reduce((sum, text) => sum + text.length, 0)).toBeLessThan(1e6);
});

test('modules are mentioned by code, not by comments', () => {
  const text = `/** import { a } from 'no' */
import type { A } from './a.ts';
export * from "./b.ts";
export declare const x: import('./c.ts').C<typeof import("./d.ts")>;
import e = require('./e.ts');
`;
  const mentions = mentionsOf('x.d.ts', text).map(({ specifier }) => specifier);
  expect(mentions).toEqual(['./e.ts', './d.ts', './c.ts', './b.ts', './a.ts']);
});

test('declarations are found as package.json tells', async () => {
  const folder = join(scratch, 'maps/node_modules/@some/thing');
  await mkdir(join(folder, 'lib/deep'), { recursive: true });
  const exports = {
    '.': {
      import: { types: './lib/index.d.mts', default: './lib/index.mjs' },
      require: './no.cjs',
    },
    './deep/*': './lib/deep/*.js',
    './private/*': null,
  };
  await writeFile(join(folder, 'package.json'), JSON.stringify({ exports }));
  for (const name of ['index.d.mts', 'deep/a.d.ts']) await writeFile(join(folder, 'lib', name), '');
  const from = join(scratch, 'maps/src/x.ts');
  expect(findDeclarations('@some/thing', from)).toBe(join(folder, 'lib/index.d.mts'));
  expect(findDeclarations('@some/thing/deep/a', from)).toBe(join(folder, 'lib/deep/a.d.ts'));
  for (const name of [
    '@some/thing/deep/b',
    '@some/thing/private/a',
    '@some/other',
    '@some/thing/x',
  ]) {
    expect(findDeclarations(name, from)).toBeUndefined();
  }
});
