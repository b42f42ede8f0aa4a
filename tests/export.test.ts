/** Exported models run by onnxruntime-node alone, held against our own forecasts; the checkpoint is gone by then. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { openModel } from '@tollama/models';
import type { InferenceSession as Sessions, Tensor as Tensors } from 'onnxruntime-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type WriteExportRequest, writeExport } from '../packages/cli/src/export/write-export.ts';

const require = createRequire(join(import.meta.dirname, '../packages/graph/package.json'));
const { InferenceSession, Tensor } = require('onnxruntime-node') as {
  InferenceSession: typeof Sessions;
  Tensor: typeof Tensors;
};
const run = promisify(execFile);
const GOLDEN = resolve(import.meta.dirname, '../golden');

let scratch = '';
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tollama-test-export-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const request = (folder: string, output: string): WriteExportRequest => ({
  folder,
  output: join(scratch, output),
  format: 'onnx',
  name: 'model',
  precision: 'float32',
  weights: 'auto',
  isFixed: false,
  version: 1,
  maxBatchSize: 16,
  maxQueueDelayMicroseconds: 0,
  instances: 1,
  threads: 1,
  isForced: false,
});

/** A copy of a checkpoint that can be taken away. */
const lent = async (set: string): Promise<string> => {
  const folder = join(scratch, `checkpoint-${set.replace('/', '-')}`);
  await cp(join(GOLDEN, set), folder, { recursive: true });
  return folder;
};

const series = Float32Array.from({ length: 32 }, (_, t) => 5 + Math.sin(t / 3));

test.each(['inside', 'beside'] as const)('weights %s: the same forecast', async (weights) => {
  const folder = await lent('chronos-bolt/tiny-a');
  const output = `bolt-${weights}`;
  const { capabilities, expected } = await (async () => {
    await using model = await openModel(folder, { threads: 1 });
    const { quantiles } = model.capabilities;
    const { forecasts } = await model.forecast({
      series: [{ id: 'a', targets: [series] }],
      horizon: 24,
      quantiles,
      options: {},
    });
    return { capabilities: model.capabilities, expected: forecasts[0]!.targets[0]!.quantiles };
  })();
  const written = await writeExport({ ...request(folder, output), weights });
  await rm(folder, { recursive: true });

  const session = await InferenceSession.create(join(written.folder, 'model.onnx'));
  const { quantiles } = await session.run({ context: new Tensor('float32', series, [1, 32]) });
  expect(quantiles!.dims).toEqual([1, capabilities.quantiles.length, 24]);
  const got = quantiles!.data as Float32Array;
  expected
    .flatMap((row) => Array.from(row))
    .forEach((value, i) => {
      expect(got[i]).toBeCloseTo(value, 4);
    });
  expect((await readdir(written.folder)).includes('model.onnx.data')).toBe(weights === 'beside');
});

test('fixed sizes are in the file', async () => {
  const folder = join(GOLDEN, 'chronos-bolt/tiny-a');
  const sized = { isFixed: true, batch: 3, context: 48 };
  const written = await writeExport({ ...request(folder, 'fixed'), ...sized });
  const described = JSON.parse(await readFile(join(written.folder, 'model.json'), 'utf8')) as {
    graphs: { inputs: unknown }[];
  };
  expect(described.graphs[0]!.inputs).toEqual([
    { name: 'context', dtype: 'float32', shape: [3, 48] },
  ]);
  const session = await InferenceSession.create(join(written.folder, 'model.onnx'));
  const wrong = { context: new Tensor('float32', series, [1, 32]) };
  await expect(session.run(wrong)).rejects.toThrow(/invalid dimensions/i);
});

test.each(['chronos-2/tiny-a', 'granite-ttm/r2-base', 'toto/tiny', 'chronos-t5/tiny-a'])(
  '%s: the example comes out of the sample client as it went in',
  async (set) => {
    const written = await writeExport(request(join(GOLDEN, set), set.replace('/', '-')));
    await symlink(resolve(GOLDEN, '../node_modules'), join(written.folder, 'node_modules'));
    const { stdout } = await run(process.execPath, [join(written.folder, 'client.mjs')]);
    expect(stdout.trim().split('\n').at(-1)).toBe('ok');
  },
);

test('the sample client forecasts what the model forecasts', async () => {
  const folder = join(GOLDEN, 'chronos-2/tiny-a');
  const written = await writeExport(request(folder, 'chronos-2-client'));
  await symlink(resolve(GOLDEN, '../node_modules'), join(written.folder, 'node_modules'));
  const client = (await import(pathToFileURL(join(written.folder, 'client.mjs')).href)) as {
    forecast: (
      contexts: number[][],
      horizon: number,
    ) => Promise<{ values: Float32Array; dims: number[] }>;
  };
  const answer = await client.forecast([Array.from(series)], 8);
  await using model = await openModel(folder, { threads: 1 });
  const levels = model.capabilities.quantiles;
  const { forecasts } = await model.forecast({
    series: [{ id: 'a', targets: [series] }],
    horizon: 8,
    quantiles: levels,
    options: {},
  });
  const steps = answer.dims[2]!;
  forecasts[0]!.targets[0]!.quantiles.forEach((row, k) => {
    for (let t = 0; t < 8; t++) expect(answer.values[k * steps + t]).toBeCloseTo(row[t]!, 3);
  });
});

test('a Triton repository grows by versions, and refuses a family with a loop', async () => {
  const folder = join(GOLDEN, 'chronos-bolt/tiny-a');
  const triton = { ...request(folder, 'repository'), format: 'triton', name: 'bolt' } as const;
  await writeExport(triton);
  await expect(writeExport(triton)).rejects.toThrow('is not empty');
  const second = await writeExport({ ...triton, version: 2, precision: 'int8' });
  const config = await readFile(second.configFile!, 'utf8');
  expect(config).toContain('num_versions: 2');
  expect(config).toContain('max_batch_size: 16');
  expect((await readdir(join(scratch, 'repository/bolt'))).sort()).toEqual([
    '1',
    '2',
    'config.pbtxt',
  ]);
  const loop = { ...triton, folder: join(GOLDEN, 'toto/tiny'), name: 'toto' };
  await expect(writeExport(loop)).rejects.toMatchObject({
    code: 'MODEL_UNSUPPORTED',
    hint: expect.stringContaining('--format onnx'),
  });
  expect(await readdir(join(scratch, 'repository'))).not.toContain('toto');
});

test('graphs that a family lacks are named', async () => {
  const wrong = { ...request(join(GOLDEN, 'chronos-2/tiny-a'), 'none'), graphs: ['aloen'] };
  await expect(writeExport(wrong)).rejects.toMatchObject({
    message: "the model has no graph 'aloen'",
    hint: expect.stringContaining("did you mean 'alone'"),
  });
});
