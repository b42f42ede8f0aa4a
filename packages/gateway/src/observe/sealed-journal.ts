/**
 * From a journal of JSON lines to a Parquet file, so that a crash at any point loses nothing and doubles nothing:
 *
 *   day.jsonl --rename--> day.0001.sealed.jsonl --write, rename--> day.0001.parquet --then--> the sealed journal goes
 *
 * A sealed journal beside its Parquet file is what a crash left of the last step; one without is converted anew.
 */
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type TableRow, tableColumns } from '@tollama/ingest/table-columns';
import { parquetBytes } from '@tollama/ingest/write-table';

const SEALED = '.sealed.jsonl';

const partName = (day: string, part: number): string => `${day}.${String(part).padStart(4, '0')}`;

/** The Parquet file of a sealed journal. */
export const parquetOf = (sealed: string): string => `${sealed.slice(0, -SEALED.length)}.parquet`;

export const isSealed = (name: string): boolean => name.endsWith(SEALED);

/** Takes a journal out of use: later lines begin a new one. Gives the sealed one's path. */
export const sealJournal = async (journal: string): Promise<string> => {
  const folder = dirname(journal);
  const day = basename(journal, '.jsonl');
  const names = await readdir(folder);
  const parts = names
    .filter((name) => name.startsWith(`${day}.`))
    .map((name) => Number(name.slice(day.length + 1).split('.')[0]))
    .filter(Number.isInteger);
  const sealed = join(folder, `${partName(day, Math.max(0, ...parts) + 1)}${SEALED}`);
  await rename(journal, sealed);
  return sealed;
};

/** Whole lines; the last one may have been cut off by a crash. */
const rowsOf = (text: string): TableRow[] =>
  text.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as TableRow];
    } catch {
      return [];
    }
  });

/** Writes a sealed journal's Parquet file and removes the journal. Safe to repeat. */
export const convertSealed = async (sealed: string): Promise<void> => {
  const target = parquetOf(sealed);
  const names = await readdir(dirname(sealed));
  if (!names.includes(basename(target))) {
    const rows = rowsOf(await readFile(sealed, 'utf8'));
    const partial = `${target}.tmp`;
    if (rows.length > 0) {
      await writeFile(partial, await parquetBytes(tableColumns(rows)));
      await rename(partial, target);
    }
  }
  await rm(sealed, { force: true });
};
