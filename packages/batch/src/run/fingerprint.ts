/** What makes two runs the same: their inputs as they are now, their columns, chunks and settings. */
import { stat } from 'node:fs/promises';
import { VERSION } from '@tollama/core/version';
import { contentHash } from '@tollama/queue';
import type { DuckDb } from '../panel/duckdb.ts';
import { quoteText } from '../panel/duckdb.ts';
import { isRemote } from '../panel/source.ts';

/** Files behind the inputs, with size and time of change where they are local. */
const filesOf = async ({ connection }: DuckDb, inputs: readonly string[]): Promise<string[]> => {
  const files: string[] = [];
  for (const input of inputs) {
    const read = await connection.runAndReadAll(`SELECT file FROM glob(${quoteText(input)})`);
    const found = read.getRows().map(([file]) => String(file));
    for (const file of found.length > 0 ? found.toSorted() : [input]) {
      const facts = isRemote(file) ? undefined : await stat(file).catch(() => undefined);
      files.push(facts ? `${file}:${facts.size}:${facts.mtimeMs}` : file);
    }
  }
  return files;
};

export const fingerprintOf = async (
  database: DuckDb,
  inputs: readonly string[],
  asked: unknown,
): Promise<string> => {
  const files = await filesOf(database, inputs);
  const text = JSON.stringify([VERSION, files, asked]);
  return contentHash(new TextEncoder().encode(text)).slice(0, 32);
};
