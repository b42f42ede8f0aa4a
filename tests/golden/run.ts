/**
 * npm run golden -- [FOLDER ...]: holds every case below the folders to its golden numbers, and prints a
 * table of the worst error as a share of its tolerance. A folder may be a family's, one of its case sets,
 * or anything above; the kind comes from the names on its path.
 */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { errorMessage } from '@tollama/core/errors';
import { passes } from './compare.ts';
import { type GoldenKind, KINDS } from './kinds.ts';

const DEFAULT_FOLDER = resolve(import.meta.dirname, '../../golden');

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );

/** Folders at or below `folder` that hold a cases.json, in order of their names. */
export const findSets = async (folder: string): Promise<string[]> => {
  const here = (await isFile(join(folder, 'cases.json'))) ? [folder] : [];
  const entries = await readdir(folder, { withFileTypes: true });
  const below = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  const deeper = await Promise.all(below.map((name) => findSets(join(folder, name))));
  return [...here, ...deeper.flat()];
};

/** Folders above a set whose names may tell its kind: its own, its family's, and one more. */
const LEVELS = 3;

/** The kind of a set: the nearest folder on its path that is named like one. */
export const kindOf = (folder: string, levels = LEVELS): GoldenKind | undefined => {
  if (levels === 0) return undefined;
  const name = basename(folder);
  return Object.hasOwn(KINDS, name) ? KINDS[name] : kindOf(dirname(folder), levels - 1);
};

interface Tally {
  passed: number;
  failed: number;
}

const line = (name: string, worst: number | string, verdict: string): void => {
  const share = typeof worst === 'number' ? worst.toPrecision(3) : worst;
  console.log(`${name.padEnd(48)} ${share.padStart(10)}  ${verdict}`);
};

const runSet = async (folder: string, label: string, tally: Tally): Promise<void> => {
  const kind = kindOf(folder);
  if (!kind) {
    tally.failed++;
    line(label, '-', 'FAILED: this family is not built yet');
    return;
  }
  await using set = await kind(folder);
  for (const { name, run } of set.cases) {
    const comparisons = await run();
    const worst = comparisons.reduce((a, b) => (b.worst > a.worst ? b : a), comparisons[0]!);
    const ok = comparisons.length > 0 && comparisons.every(passes);
    tally[ok ? 'passed' : 'failed']++;
    line(`${label}/${name}`, worst.worst, ok ? 'ok' : `FAILED: ${worst.label} ${worst.detail}`);
  }
};

const main = async (folders: readonly string[]): Promise<void> => {
  const tally: Tally = { passed: 0, failed: 0 };
  line('case', 'worst', 'largest error / tolerance, at most 1');
  for (const folder of folders) {
    const root = resolve(folder);
    const sets = await findSets(root);
    if (sets.length === 0) throw new Error(`no cases.json at or below ${folder}`);
    for (const set of sets) {
      const label = relative(dirname(root), set);
      try {
        await runSet(set, label, tally);
      } catch (error) {
        tally.failed++;
        line(label, '-', `FAILED: ${errorMessage(error)}`);
      }
    }
  }
  console.log(`${tally.passed} passed, ${tally.failed} failed`);
  process.exitCode = tally.failed > 0 ? 1 : 0;
};

if (import.meta.main) {
  const folders = process.argv.slice(2);
  await main(folders.length > 0 ? folders : [DEFAULT_FOLDER]);
}
