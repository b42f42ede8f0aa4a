/** The programs in TypeScript that the documentation shows. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './bundle.ts';

export interface DocumentedProgram {
  /** Document and place in it: docs-batch-0. */
  readonly name: string;
  readonly text: string;
}

const documents = async (): Promise<readonly string[]> => {
  const docs = await readdir(join(ROOT, 'docs'), { recursive: true });
  const pages = docs.filter((name) => name.endsWith('.md')).map((name) => join('docs', name));
  return ['README.md', 'packages/client/README.md', ...pages.sort()];
};

/** Every block of code that is marked `ts`. */
export const documentedPrograms = async (): Promise<readonly DocumentedProgram[]> => {
  const found: DocumentedProgram[] = [];
  for (const path of await documents()) {
    const text = await readFile(join(ROOT, path), 'utf8');
    const name = path.replace(/\.md$/, '').replaceAll(/[/\\]/g, '-');
    for (const [i, [, code]] of [...text.matchAll(/^```ts\n(.*?)^```/gms)].entries()) {
      found.push({ name: `${name}-${i}`, text: code! });
    }
  }
  return found;
};
