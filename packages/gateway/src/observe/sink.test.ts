import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readSamples } from '../conformal/calibrate.ts';
import { openTestGateway } from '../testing/test-gateway.ts';
import { folderName, Sink } from './sink.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sink-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('forecasts and outcomes are lines of a market and day, fit for calibration', async () => {
  const records = join(folder, 'records');
  {
    await using test = await openTestGateway({ tsfm: { sink: { path: records, flush_s: 1000 } } });
    await test.answer({ market_id: 'm-1', liquidity_bucket: 'high' });
    await test.answer({ market_id: 'm-1', liquidity_bucket: 'high' });
    await test.post('/tsfm/outcomes', { market_id: 'm-1', ts: '2026-02-20T12:05:00Z', value: 0.4 });
  }
  expect(await readdir(join(records, 'm-1'))).toEqual(['2026-02-20.jsonl']);
  const text = await readFile(join(records, 'm-1', '2026-02-20.jsonl'), 'utf8');
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map(({ kind }) => kind)).toEqual(['forecast', 'outcome']);
  expect(await readSamples([records])).toMatchObject([{ actual: 0.4, liquidity_bucket: 'high' }]);
});

test.each([
  ['m-1', /^m-1$/],
  ['../../etc/passwd', /^______etc_passwd-[0-9a-f]{16}$/],
  ['.', /^_-[0-9a-f]{16}$/],
  ['x'.repeat(300), /^x{80}-[0-9a-f]{16}$/],
])('the folder of market %s stays in its place', (market, name) => {
  expect(folderName(market)).toMatch(name);
});

test('what waits is bounded; what cannot be written is counted and told', async () => {
  const errors: unknown[] = [];
  await using sink = new Sink({ folder: '/dev/null', flushMs: 1e6, maxPending: 2 }, (error) =>
    errors.push(error),
  );
  for (let i = 0; i < 5; i++) sink.write({ kind: 'outcome', market: 'm', fields: {} }, 0);
  expect(sink.dropped).toBe(3);
  await sink.flush();
  expect(sink.dropped).toBe(5);
  expect(errors).toHaveLength(1);
});

const DAY = Date.UTC(2026, 1, 20);
const outcome = (actual: number) => ({ low: 0.1, median: 0.2, high: 0.3, actual });

const parquetSink = (path: string, errors: unknown[] = []) =>
  new Sink(
    { folder: path, flushMs: 1e6, maxPending: 100, parquet: { rows: 3, ageMs: 1e9 } },
    (error) => errors.push(error),
  );

test('as Parquet: a file when the journal is full, when the day is over, and at the end', async () => {
  const path = join(folder, 'parquet');
  const errors: unknown[] = [];
  {
    await using sink = parquetSink(path, errors);
    const write = async (days: number, values: readonly number[]) => {
      for (const value of values) {
        sink.write(
          { kind: 'outcome', market: 'm', fields: outcome(value) },
          DAY + days * 86_400_000,
        );
      }
      await sink.flush();
    };
    await write(0, [1, 2, 3]);
    await write(0, [4]);
    expect(await readdir(join(path, 'm'))).toContain('2026-02-20.jsonl');
    await write(1, [5]);
    expect(await readdir(join(path, 'm'))).not.toContain('2026-02-20.jsonl');
  }
  expect(errors).toEqual([]);
  expect((await readdir(join(path, 'm'))).toSorted()).toEqual([
    '2026-02-20.0001.parquet',
    '2026-02-20.0002.parquet',
    '2026-02-21.0001.parquet',
  ]);
  expect((await readSamples([path])).map(({ actual }) => actual)).toEqual([1, 2, 3, 4, 5]);
});

test('what a crash left is taken up: nothing lost, nothing twice', async () => {
  const path = join(folder, 'crash');
  const market = join(path, 'm');
  await mkdir(market, { recursive: true });
  const line = (value: number) => `${JSON.stringify({ kind: 'outcome', ...outcome(value) })}\n`;
  {
    await using sink = parquetSink(path);
    sink.write({ kind: 'outcome', market: 'm', fields: outcome(1) }, DAY);
  }
  // Killed after the Parquet file was there, before it, and while a line was written.
  await writeFile(join(market, '2026-02-20.0001.sealed.jsonl'), line(1));
  await writeFile(join(market, '2026-02-20.0002.sealed.jsonl'), line(2));
  await writeFile(join(market, '2026-02-20.0002.parquet.tmp'), 'half');
  await writeFile(join(market, '2026-02-20.jsonl'), `${line(3)}{"kind": "outc`);
  {
    await using sink = parquetSink(path);
    await sink.flush();
  }
  expect((await readdir(market)).toSorted()).toEqual([
    '2026-02-20.0001.parquet',
    '2026-02-20.0002.parquet',
    '2026-02-20.0003.parquet',
  ]);
  expect((await readSamples([path])).map(({ actual }) => actual)).toEqual([1, 2, 3]);
});
