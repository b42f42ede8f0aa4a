import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ANCHORS } from '@tollama/models/families/tollama-nano/anchors';
import { CONTEXT_FEATURES, STEP_FEATURES } from '@tollama/models/families/tollama-nano/prepare';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRandom } from '../synthetic/random.ts';
import { blockPath } from './blocks.ts';
import { configOf } from './run-config.ts';
import { type NanoRunOptions, trainNano } from './trainer.ts';
import { Visits } from './visits.ts';
import { drawWindow, ROW_WIDTH, STEP_WIDTH, writeWindow } from './windows.ts';

const ROWS = 16;
let folder = '';

const smallBlock = (stream: number): Float32Array => {
  const random = createRandom(3, stream);
  const rows = new Float32Array(ROWS * ROW_WIDTH);
  for (let i = 0; i < ROWS; ) {
    const row = rows.subarray(i * ROW_WIDTH, (i + 1) * ROW_WIDTH);
    // Walks are short and cheap.
    if (writeWindow(random, drawWindow(random, 11), row)) i++;
  }
  return rows;
};

const config = {
  model_type: 'tollama-nano',
  d_model: 8,
  d_hidden: 16,
  num_layers: 1,
  context_features: CONTEXT_FEATURES,
  step_features: STEP_FEATURES,
  anchors: ANCHORS.length,
} as const;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nano-'));
  for (const block of [0, 1]) {
    writeFileSync(blockPath(folder, block), new Uint8Array(smallBlock(block).buffer));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const train = (name: string, lastStep: number, o: Partial<NanoRunOptions> = {}) => {
  const run = mkdtempSync(join(folder, 'run-'));
  const own = name === '' ? run : name;
  return trainNano({
    config,
    folder: own,
    blocks: folder,
    visits: new Visits(folder, join(own, 'visits.txt'), 1),
    seed: 1,
    batchSize: 8,
    optimizer: { kind: 'adamw' },
    rate: () => 0.01,
    lastStep,
    saveEvery: 4,
    keep: 0.9,
    validation: new Map(),
    log: () => {},
    ...o,
  });
};

test('a run that was cut off ends with the same bits', async () => {
  const whole = await train('', 12);
  const cut = mkdtempSync(join(folder, 'cut-'));
  await train(cut, 4);
  const resumed = await train(cut, 12);
  expect(resumed.progress).toEqual(whole.progress);
  expect(resumed.state.parameters).toEqual(whole.state.parameters);
  expect(resumed.averages).toEqual(whole.averages);
  expect(configOf(resumed.averages)).toEqual(config);
});

test('training lowers the loss on its examples', async () => {
  const losses: number[] = [];
  const validation = new Map([['own', smallBlock(0)]]);
  const log = (line: Readonly<Record<string, unknown>>): void => {
    const found = line.validation as { own: { loss: number } } | undefined;
    if (found) losses.push(found.own.loss);
  };
  await train('', 60, { validation, log });
  expect(losses.at(-1)!).toBeLessThan(losses[0]!);
});

test('an example holds its targets in units of scales, and nothing of the future in its features', () => {
  const random = createRandom(5);
  const window = drawWindow(random, 5);
  const other = { ...window, future: window.future.map((value) => value + 1e3) };
  const [a, b] = [window, other].map((own) => {
    const row = new Float32Array(ROW_WIDTH);
    expect(writeWindow(createRandom(9), own, row)).toBe(true);
    return row;
  }) as [Float32Array, Float32Array];
  const target = CONTEXT_FEATURES + STEP_WIDTH - 2;
  expect(a.subarray(0, target)).toEqual(b.subarray(0, target));
  expect(a[target]).not.toBe(b[target]);
});
