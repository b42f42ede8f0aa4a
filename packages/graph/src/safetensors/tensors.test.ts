/** What the writer writes is what the header says, what `readTensor` reads and what a session computes with. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { DTYPES, type DType, type TensorData } from '../dtype.ts';
import * as ops from '../ops.ts';
import type { TensorValue } from '../session/feeds.ts';
import { evaluate, numbersOf, withFolder, writeCheckpoint } from '../testing/run-graph.ts';
import { SINGLE_FILE } from './checkpoint.ts';
import { readTensor } from './read-tensor.ts';
import { writeSafetensors } from './write.ts';

const vector = (dtype: DType, data: TensorData): TensorValue => ({
  dtype,
  dims: [data.length],
  data,
});

/** The values of a stored parameter after the cast of a session. */
const throughSession = async (stored: TensorValue): Promise<number[]> => {
  const w = ops.parameter('w', stored.dims, stored.dtype);
  const value = await evaluate(ops.cast(w, 'float32'), {}, { parameters: { w: stored } });
  return numbersOf(value);
};

const throughReader = (stored: TensorValue): Promise<number[]> =>
  withFolder(async (folder) => {
    const { tensors } = await writeCheckpoint(folder, { w: stored });
    return [...(await readTensor(tensors.get('w')!))];
  });

/** Every pattern of 16 bits that is a number: NaN patterns have no equal. */
const halves = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits);

const bfloat16 = (bits: number): number => {
  const words = Uint32Array.of(bits << 16);
  return new Float32Array(words.buffer)[0]!;
};

const float16 = (bits: number): number => {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  const sign = bits >> 15 ? -1 : 1;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
};

describe('16 bits widen exactly, whatever they are', () => {
  test.each([
    ['bfloat16', bfloat16],
    ['float16', float16],
  ] as const)('%s', async (dtype, widen) => {
    const expected = Array.from(halves, widen);
    const stored = vector(dtype, halves);
    expect(await throughReader(stored)).toEqual(expected);
    expect(await throughSession(stored)).toEqual(expected);
  });
});

describe('types', () => {
  test.each<[DType, TensorData, number[]]>([
    ['float32', Float32Array.of(0.1, -1e38, 1e-45), [0.1, -1e38, 1e-45].map(Math.fround)],
    ['float64', Float64Array.of(0.1, 3), [Math.fround(0.1), 3]],
    ['int64', BigInt64Array.of(-(2n ** 40n), 7n), [-(2 ** 40), 7]],
    ['int32', Int32Array.of(-5, 2 ** 30), [-5, 2 ** 30]],
    ['bool', Uint8Array.of(1, 0, 1), [1, 0, 1]],
  ])('%s is read in place by a session', async (dtype, data, expected) => {
    expect(await throughSession(vector(dtype, data))).toEqual(expected);
  });

  test('of whole numbers are no weights', async () => {
    await expect(throughReader(vector('int64', BigInt64Array.of(1n)))).rejects.toThrow(
      'cannot read int64 weights as numbers',
    );
    expect(await throughReader(vector('float64', Float64Array.of(0.5)))).toEqual([0.5]);
  });
});

const dtypes = Object.keys(DTYPES) as DType[];

const tensors = fc.dictionary(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }).map((name) => name.toWellFormed()),
  fc.record({
    dtype: fc.constantFrom(...dtypes),
    dims: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
  }),
  { maxKeys: 6 },
);

const bytesFor = (dtype: DType, dims: readonly number[], seed: number): Uint8Array =>
  new Uint8Array(dims.reduce((a, b) => a * b, DTYPES[dtype].sizeBytes)).map((_, i) => i * 7 + seed);

test.prop([tensors], { numRuns: 60 })('what is written is read again', async (specs) => {
  await withFolder(async (folder) => {
    const entries = Object.entries(specs).filter(([name]) => name !== '__metadata__');
    const values = entries.map(([name, { dtype, dims }], i) => {
      const data = bytesFor(dtype, dims, i);
      return [name, { dtype, dims, data }] as const;
    });
    const checkpoint = await writeCheckpoint(folder, Object.fromEntries(values));
    const file = await readFile(join(folder, SINGLE_FILE));
    expect(checkpoint.tensors.size).toBe(values.length);
    for (const [name, { dtype, dims, data }] of values) {
      const { offset, sizeBytes, ...stored } = checkpoint.tensors.get(name)!;
      expect(stored).toMatchObject({ dtype, shape: dims });
      expect(new Uint8Array(file.subarray(offset, offset + sizeBytes))).toEqual(data);
    }
    expect(await readdir(folder)).toEqual([SINGLE_FILE]);
  });
});

test('a writer that fails leaves the old file', async () => {
  await withFolder(async (folder) => {
    const path = join(folder, SINGLE_FILE);
    await writeCheckpoint(folder, { w: vector('float32', Float32Array.of(1)) });
    const before = await readFile(path);
    const specs = new Map([['w', { dtype: 'float32', shape: [2] } as const]]);
    await expect(
      writeSafetensors(path, specs, () => {
        throw new Error('out of numbers');
      }),
    ).rejects.toThrow('out of numbers');
    await expect(writeSafetensors(path, specs, () => Float32Array.of(1))).rejects.toThrow(
      "tensor 'w' of shape [2] got 4 bytes, needs 8",
    );
    expect(await readFile(path)).toEqual(before);
    expect(await readdir(folder)).toEqual([SINGLE_FILE]);
  });
});

test('a file that shrank after its header was read is noticed', async () => {
  await withFolder(async (folder) => {
    const { tensors: read } = await writeCheckpoint(folder, {
      w: vector('float32', Float32Array.of(1, 2)),
    });
    const tensor = read.get('w')!;
    await expect(readTensor({ ...tensor, offset: tensor.offset + 4 })).rejects.toThrow(
      'ended 4 bytes early',
    );
  });
});
