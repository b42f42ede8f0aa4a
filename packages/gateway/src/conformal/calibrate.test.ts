import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { calibrate, readSamples, writeState } from './calibrate.ts';
import { parseConformalState, readConformalState } from './state.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'calibrate-'));
});
afterAll(() => rm(folder, { recursive: true }));

const line = (i: number, bucket: string) => ({
  kind: 'outcome',
  low: 0.4,
  median: 0.5,
  high: 0.6,
  actual: bucket === 'high' ? 0.5 + (i % 5) * 0.05 : 0.5 + ((i % 3) - 1) * 0.05,
  liquidity_bucket: bucket,
});

test('a folder of records becomes a state that the gateway reads', async () => {
  const records = [
    ...Array.from({ length: 60 }, (_, i) => line(i, 'high')),
    ...Array.from({ length: 10 }, (_, i) => line(i, 'mid')),
    { kind: 'forecast', yhat_q: {} },
  ];
  await writeFile(join(folder, 'day.jsonl'), records.map((one) => JSON.stringify(one)).join('\n'));
  const samples = await readSamples([folder]);
  expect(samples).toHaveLength(70);
  const { state, coverageAfter } = calibrate(samples, { targetCoverage: 0.9, minSamples: 50 });
  expect(coverageAfter).toBeGreaterThanOrEqual(0.9);
  expect(Object.keys(state.segments)).toEqual(['liquidity_bucket=high']);
  const path = join(folder, 'state.json');
  await writeState(path, state);
  const read = parseConformalState(await readFile(path, 'utf8'));
  expect(read.choose(['category=x', 'liquidity_bucket=high'])).toEqual({
    adjustment: state.segments['liquidity_bucket=high'],
    segmentKey: 'liquidity_bucket=high',
  });
  expect(read.choose(['liquidity_bucket=mid'])?.segmentKey).toBeNull();
});

test('a missing state is none, a broken one is none and told', async () => {
  const told: unknown[] = [];
  const path = join(folder, 'broken.json');
  await writeFile(path, '{"segments": 3}');
  expect((await readConformalState(join(folder, 'none'), (e) => told.push(e))).isLoaded).toBe(
    false,
  );
  expect(told).toHaveLength(0);
  expect((await readConformalState(path, (e) => told.push(e))).isLoaded).toBe(false);
  expect(told).toHaveLength(1);
});

test('each form of the file is read', () => {
  const adjustment = {
    target_coverage: 0.9,
    quantile_level: 0.9,
    center_shift: 0.1,
    width_scale: 1,
    sample_size: 3,
  };
  for (const file of [{ default_adjustment: adjustment }, { adjustment }, adjustment]) {
    const state = parseConformalState(JSON.stringify(file));
    expect(state.choose([])?.adjustment).toEqual(adjustment);
  }
});
