import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { defineGraph } from '../graph.ts';
import { affine, input, parameter } from '../ops.ts';
import { loadRuntime } from '../session/load-runtime.ts';
import { tensorOf, withFolder, writeCheckpoint } from '../testing/run-graph.ts';
import { type SelfContainedRequest, writeSelfContained } from './self-contained.ts';

const WIDTH = 64;
const WEIGHTS = Array.from({ length: WIDTH * WIDTH }, (_, i) => Math.sin(i));
const VALUES = Float32Array.from({ length: 2 * WIDTH }, (_, i) => Math.cos(i));

const layer = () => {
  const x = input('x', ['batch', WIDTH]);
  const y = affine(x, parameter('dense.weight', [WIDTH, WIDTH], 'float32'));
  return defineGraph('layer', [x], { y });
};

/** x [2, in] . weight [out, in]^T */
const expected = Array.from({ length: 2 * WIDTH }, (_, at) => {
  const [row, out] = [Math.floor(at / WIDTH), at % WIDTH];
  let sum = 0;
  for (let i = 0; i < WIDTH; i++) sum += VALUES[row * WIDTH + i]! * WEIGHTS[out * WIDTH + i]!;
  return sum;
});

/** Writes the layer, takes its checkpoint away and runs what was written. */
const exported = async (options: Partial<SelfContainedRequest>) =>
  withFolder(async (folder) => {
    const written = await withFolder(async (source) => {
      const checkpoint = await writeCheckpoint(source, {
        'dense.weight': tensorOf([WIDTH, WIDTH], WEIGHTS),
      });
      const request = { checkpoint, folder, name: 'model', sizes: new Map(), ...options };
      return writeSelfContained(layer(), { precision: 'float32', weights: 'inside', ...request });
    });
    const files = (await readdir(folder)).toSorted();
    const { size } = await stat(join(folder, 'model.onnx'));
    const { InferenceSession, Tensor } = await loadRuntime();
    const session = await InferenceSession.create(join(folder, 'model.onnx'));
    const { y } = await session.run({ x: new Tensor('float32', VALUES, [2, WIDTH]) });
    await session.release();
    return { written, files, modelBytes: size, y: Array.from(y!.data as Float32Array) };
  });

const worstError = (got: readonly number[]): number =>
  Math.max(...got.map((value, i) => Math.abs(value - expected[i]!)));

test('weights lie inside of the model file', async () => {
  const { written, files, modelBytes, y } = await exported({ weights: 'inside' });
  expect(files).toEqual(['model.onnx']);
  expect(written).toMatchObject({ files, weightBytes: 4 * WEIGHTS.length });
  expect(modelBytes).toBeGreaterThan(4 * WEIGHTS.length);
  expect(worstError(y)).toBeLessThan(1e-4);
});

test('or beside it, in one file', async () => {
  const { written, files, modelBytes, y } = await exported({ weights: 'beside' });
  expect(files).toEqual(['model.onnx', 'model.onnx.data']);
  expect(written.files).toEqual(files);
  expect(modelBytes).toBeLessThan(2000);
  expect(worstError(y)).toBeLessThan(1e-4);
});

test('few weights lie inside where nobody says', async () => {
  expect((await exported({ weights: 'auto' })).files).toEqual(['model.onnx']);
});

test('int8 writes a byte a weight and a scale a row, and is near', async () => {
  const { written, y } = await exported({ precision: 'int8' });
  expect(written.weightBytes).toBe(WEIGHTS.length + 4 * WIDTH);
  const error = worstError(y);
  expect(error).toBeGreaterThan(1e-4);
  expect(error).toBeLessThan(0.3);
});

test('sizes are fixed by their names, unknown ones refused', async () => {
  const { written } = await exported({ sizes: new Map([['batch', 2]]) });
  expect(written.inputs[0]!.shape).toEqual([2, WIDTH]);
  expect(written.outputs[0]!.shape).toEqual([2, WIDTH]);
  await expect(exported({ sizes: new Map([['batches', 2]]) })).rejects.toMatchObject({
    code: 'INVALID_REQUEST',
    message: "size 'batches': layer has no such size",
    hint: 'its sizes are batch',
  });
});
