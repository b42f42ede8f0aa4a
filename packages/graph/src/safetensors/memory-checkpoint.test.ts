import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { tensorOf, withFolder, writeCheckpoint } from '../testing/run-graph.ts';
import { openMemoryCheckpoint } from './memory-checkpoint.ts';

/** The bytes of a file with one tensor. */
const fileWith = (name: string, values: readonly number[]): Promise<Uint8Array> =>
  withFolder(async (folder) => {
    const { files } = await writeCheckpoint(folder, {
      [name]: tensorOf([values.length], [...values]),
    });
    return new Uint8Array(await readFile(files[0]!));
  });

test('files in memory are one checkpoint, each tensor in its place', async () => {
  const [a, b] = [await fileWith('a', [1, 2, 3]), await fileWith('b', [4])];
  const checkpoint = await openMemoryCheckpoint({ 'a.safetensors': a, 'b.safetensors': b });
  expect([...checkpoint.tensors.keys()]).toEqual(['a', 'b']);
  expect(checkpoint).toMatchObject({ sizeBytes: 16, files: ['a.safetensors', 'b.safetensors'] });
  const { file, offset, sizeBytes } = checkpoint.tensors.get('a')!;
  const bytes = checkpoint.bytes.get(file)!.slice(offset, offset + sizeBytes);
  expect([...new Float32Array(bytes.buffer)]).toEqual([1, 2, 3]);
});

test('bytes that begin within a larger buffer are read from where they begin', async () => {
  const file = await fileWith('a', [7]);
  const shifted = new Uint8Array(file.length + 5);
  shifted.set(file, 5);
  const checkpoint = await openMemoryCheckpoint({ w: shifted.subarray(5) });
  expect(checkpoint.tensors.get('a')).toMatchObject({ shape: [1], sizeBytes: 4 });
});

test.each([
  ['cut', (file: Uint8Array) => ({ w: file.subarray(0, 6) }), 'w: the file has 6 bytes'],
  ['cut within its data', (file: Uint8Array) => ({ w: file.subarray(0, -1) }), 'w: '],
  ['held twice', (file: Uint8Array) => ({ w: file, v: file }), "tensor 'a' lies in w and in v"],
])('a file that is %s is refused', async (_, files, message) => {
  const file = await fileWith('a', [1]);
  await expect(openMemoryCheckpoint(files(file))).rejects.toMatchObject({
    code: 'CHECKPOINT_INVALID',
    message: expect.stringContaining(message),
  });
});
