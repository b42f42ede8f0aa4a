import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { arrowBytes } from '@tollama/ingest/write-table';
import { afterAll, expect, test } from 'vitest';
import { withoutArrow } from './arrow-files.ts';
import { openDuckDb } from './duckdb.ts';
import { tableOf } from './source.ts';

const home = mkdtempSync(join(tmpdir(), 'tollama-arrow-'));
const database = await openDuckDb({ temporaryFolder: home, memoryMegabytes: 200, threads: 1 });
afterAll(() => {
  database[Symbol.dispose]();
  rmSync(home, { recursive: true, force: true });
});
const { signal } = new AbortController();

const bytesOf = (id: string, rows: number): Promise<Uint8Array> => {
  const at = Array.from({ length: rows }, (_, i) => i);
  return arrowBytes([
    { name: 'id', kind: 'text', values: at.map(() => id) },
    { name: 'ds', kind: 'time', values: at.map((i) => Date.UTC(2024, 0, 1 + i)) },
    { name: 'y', kind: 'number', values: at.map((i) => (i === 1 ? null : i / 4)) },
    { name: 'open', kind: 'boolean', values: at.map((i) => i % 2 === 0) },
  ]);
};
const write = async (name: string, id: string, rows: number): Promise<void> => {
  const bytes = await bytesOf(id, rows);
  writeFileSync(join(home, name), name.endsWith('.gz') ? gzipSync(bytes) : bytes);
};
const readAll = async (inputs: readonly string[]) => {
  const staged = await withoutArrow(database, inputs, { folder: join(home, 'staged'), signal });
  const sql = `SELECT id, epoch_ms(ds), y, open FROM ${tableOf(staged)}`;
  return (await database.connection.runAndReadAll(sql)).getRows();
};

test('values, missing ones and the order of the rows are those of the files', async () => {
  await write('a.arrow', 'a', 3);
  await write('b.feather.gz', 'b', 2);
  const rows = await readAll([join(home, 'a.arrow'), join(home, 'b.feather.gz')]);
  const day = (at: number): bigint => BigInt(Date.UTC(2024, 0, at));
  expect(rows).toEqual([
    ['a', day(1), 0, true],
    ['a', day(2), null, false],
    ['a', day(3), 0.5, true],
    ['b', day(1), 0, true],
    ['b', day(2), null, false],
  ]);
});

test('globs are followed, and more rows than a chunk stay in order', async () => {
  await write('many-1.arrow', 'x', 5000);
  await write('many-2.arrow', 'y', 10);
  const rows = await readAll([join(home, 'many-*.arrow')]);
  expect(rows).toHaveLength(5010);
  expect(rows.slice(2, 5000).every(([, , y], i) => y === (i + 2) / 4)).toBe(true);
  expect(rows.at(-1)![0]).toBe('y');
});

test('what cannot be read is refused by its name', async () => {
  writeFileSync(join(home, 'broken.arrow'), Buffer.from('ARROW1\0\0 and no more than that'));
  await expect(readAll([join(home, 'broken.arrow')])).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    message: expect.stringContaining('broken.arrow'),
  });
  await expect(readAll([join(home, 'nowhere.arrow')])).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    message: expect.stringContaining('nowhere.arrow'),
  });
});
