import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
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
