import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { TollamaError } from '@tollama/core/errors';
import { describe, expect } from 'vitest';
import { defineGraph } from '../graph.ts';
import * as ops from '../ops.ts';
import { openCheckpoint } from '../safetensors/checkpoint.ts';
import { readTensor } from '../safetensors/read-tensor.ts';
import { openSession } from '../session/session.ts';
import { numbersOf, withFolder } from '../testing/run-graph.ts';
import {
  type Picklable,
  pickleOf,
  tensorOf,
  torchFileOf,
  zipOf,
} from '../testing/torch-archive.ts';
import { readTorchFile, type TorchFile } from './torch-file.ts';

const fixture = (name: string): string => join(import.meta.dirname, 'fixtures', name);

const whole = await readFile(fixture('lightning.ckpt'));

const read = (bytes: Uint8Array): Promise<TorchFile> =>
  withFolder(async (folder) => {
    const path = join(folder, 'model.ckpt');
    await writeFile(path, bytes);
    return readTorchFile(path);
  });

const numbers = (count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => i + 1);
const dictOf = (entries: Readonly<Record<string, Picklable>>): Picklable =>
  new Map(Object.entries(entries));

describe('files of torch.save', () => {
  test('tensors of all types and forms are found and read', async () => {
    const { tensors } = await readTorchFile(fixture('state-dict.pt'));
    const forms = [...tensors].map(([name, { dtype, shape }]) => `${name} ${dtype}[${shape}]`);
    expect(forms).toEqual([
      'linear.weight float32[2,3]',
      'half float16[3]',
      'brain bfloat16[2]',
      'double float64[1,1]',
      'count int64[]',
      'mask bool[2]',
      'tail float32[2,3]',
      'tied float32[10]',
      'parameter float32[2]',
      'empty float32[0,3]',
      'scalar float32[]',
    ]);
    const valuesOf = async (name: string) =>
      Array.from(await readTensor({ ...tensors.get(name)!, file: fixture('state-dict.pt') }));
    expect(await valuesOf('linear.weight')).toEqual([0.5, 1.5, 2.5, 3.5, 4.5, 5.5]);
    expect(await valuesOf('half')).toEqual([1.5, -2, 65504]);
    expect(await valuesOf('brain')).toEqual([1, -3.140625]);
    expect(await valuesOf('tail')).toEqual([4, 5, 6, 7, 8, 9]);
    expect(await valuesOf('parameter')).toEqual([1, 2]);
    expect(await valuesOf('scalar')).toEqual([2.5]);
  });

  test('another protocol of pickles is read too', async () => {
    const { tensors } = await readTorchFile(fixture('protocol-4.pt'));
    expect([...tensors.keys()]).toEqual(['weight', 'bias']);
  });

  test('a checkpoint of Lightning gives its state_dict, and its hyper-parameters as plain values', async () => {
    const { tensors, hyperParameters } = await readTorchFile(fixture('lightning.ckpt'));
    expect([...tensors.keys()]).toEqual(['weight', 'bias']);
    expect(hyperParameters).toMatchObject({
      context_length: 32,
      model_kwargs: {
        n_layer: 2,
        lags_seq: [0, 7, 8],
        rope_scaling: null,
        time_feat: true,
        distr_output: { class: 'gluonts.torch.distributions.studentT.StudentTOutput' },
      },
    });
  });

  test('a session reads the tensors in place', async () => {
    await withFolder(async (folder) => {
      await writeFile(join(folder, 'any.ckpt'), await readFile(fixture('state-dict.pt')));
      const checkpoint = await openCheckpoint(folder);
      const weight = ops.parameter('tail', [2, 3], 'float32');
      const half = ops.cast(ops.parameter('half', [3], 'float16'), 'float32');
      const graph = defineGraph('g', [], { y: ops.add(weight, half) });
      await using session = await openSession(graph, { checkpoint, threads: 1 });
      expect(numbersOf((await session.run({})).y!)).toEqual([5.5, 3, 65510, 8.5, 6, 65513]);
    });
  });

  test('calls that a pickle asks for are refused by name', async () => {
    await expect(readTorchFile(fixture('calls-system.pt'))).rejects.toThrow(
      'calls-system.pt: its pickle asks for "posix.system", which is never loaded',
    );
  });

  test('tensors that do not lie as they are read are refused', async () => {
    await expect(readTorchFile(fixture('transposed.pt'))).rejects.toThrow(
      'transposed.pt: tensor "weight" of shape [3,2] has the strides [1,3]; save it after contiguous()',
    );
  });

  test('files of old versions are refused with the way out', async () => {
    await expect(readTorchFile(fixture('legacy.pt'))).rejects.toThrow(
      'legacy.pt: it is no zip archive; load it with torch of version 1.6 or newer and save it again',
    );
  });

  const w = tensorOf([2, 2], '0');
  const four = { 0: numbers(4) };
  test.each<[string, Uint8Array, string]>([
    ['no archive', new Uint8Array(100), 'it is no zip archive'],
    ['an empty archive', zipOf([]), 'it holds 0 data.pkl'],
    [
      'an archive of others',
      zipOf([{ name: 'a/b', data: new Uint8Array(1) }]),
      'it holds 0 data.pkl',
    ],
    [
      'two pickles',
      zipOf(['a', 'b'].map((name) => ({ name: `${name}/data.pkl`, data: pickleOf(null) }))),
      'it holds 2 data.pkl',
    ],
    ['a number', torchFileOf(7), 'it holds 7, not a dict of tensors'],
    ['an empty dict', torchFileOf(dictOf({})), 'it holds no tensor'],
    ['a number among tensors', torchFileOf(dictOf({ w, n: 7 }), four), 'holds 7 as "n"'],
    ['a tensor without a name', torchFileOf(new Map([[3, w]]), four), 'holds a tensor as 3'],
    ['no storage', torchFileOf(dictOf({ w })), 'tensor "w" lies in data/0, which is not there'],
    [
      'a storage elsewhere',
      torchFileOf(dictOf({ w: tensorOf([4], '../../x') }), four),
      'lies in data/../../x, which is not there',
    ],
    [
      'a storage of another size',
      torchFileOf(dictOf({ w }), { 0: numbers(3) }),
      'tensor "w" is a view of 4 float32 numbers, data/0 has 12 bytes',
    ],
    [
      'a storage of another type',
      torchFileOf(dictOf({ w: tensorOf([4], '0', { type: 'HalfStorage' }) }), four),
      'a view of 4 float16 numbers, data/0 has 16 bytes',
    ],
    [
      'a shape beyond its storage',
      torchFileOf(dictOf({ w: tensorOf([5], '0', { count: 4 }) }), four),
      'tensor "w" of shape [5] from 0 on leaves its storage of 4',
    ],
    [
      'an offset beyond its storage',
      torchFileOf(dictOf({ w: tensorOf([2], '0', { count: 4, offset: 3 }) }), four),
      'tensor "w" of shape [2] from 3 on leaves its storage of 4',
    ],
    [
      'an endless shape',
      torchFileOf(
        dictOf({ w: tensorOf([2 ** 30, 2 ** 30], '0', { count: 4, strides: [1, 1] }) }),
        four,
      ),
      'overflows',
    ],
    [
      'a value spread over a shape',
      torchFileOf(dictOf({ w: tensorOf([4], '0', { count: 1, strides: [0] }) }), { 0: numbers(1) }),
      'has the strides [0]; save it after contiguous()',
    ],
    [
      'a storage type that is not known',
      torchFileOf(dictOf({ w: tensorOf([4], '0', { type: 'ComplexFloatStorage' }) }), four),
      'asks for "torch.ComplexFloatStorage", which is never loaded',
    ],
    [
      'the other byte order',
      zipOf([
        { name: 'a/data.pkl', data: pickleOf(dictOf({ w })) },
        { name: 'a/byteorder', data: Buffer.from('big') },
      ]),
      'its numbers are stored in the byte order "big"',
    ],
    [
      'hyper-parameters that nest without end',
      torchFileOf(
        // A list that holds itself twice.
        dictOf({
          state_dict: dictOf({ w }),
          hyper_parameters: dictOf({ x: { raw: [0x5d, 0x71, 5, 0x28, 0x68, 5, 0x68, 5, 0x65] } }),
        }),
        four,
      ),
      'its hyper_parameters',
    ],
  ])('refuses %s', async (_, bytes, message) => {
    await expect(read(bytes)).rejects.toThrow(TollamaError);
    await expect(read(bytes)).rejects.toThrow(message);
  });

  test('honest archives of our own are read', async () => {
    for (const zip64 of [false, true]) {
      const { tensors } = await read(
        torchFileOf(dictOf({ w, view: tensorOf([2], '0', { count: 4, offset: 2 }) }), four, {
          zip64,
        }),
      );
      expect(tensors.get('w')).toMatchObject({ dtype: 'float32', shape: [2, 2], sizeBytes: 16 });
      expect(tensors.get('view')!.offset).toBe(tensors.get('w')!.offset + 8);
    }
  });

  const changes = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), {
    minLength: 1,
    maxLength: 4,
  });
  const cuts = fc.tuple(fc.nat(whole.length), fc.nat(whole.length));

  /** Refused as a checkpoint that is not valid, or read with every tensor inside of the file. */
  const expectSafe = async (bytes: Uint8Array): Promise<void> => {
    try {
      for (const { offset, sizeBytes } of (await read(bytes)).tensors.values()) {
        expect(offset).toBeGreaterThan(0);
        expect(offset + sizeBytes).toBeLessThan(bytes.length);
      }
    } catch (error) {
      expect(error).toBeInstanceOf(TollamaError);
      expect((error as TollamaError).code).toBe('CHECKPOINT_INVALID');
    }
  };

  test.prop([changes], { numRuns: 400 })(
    'changed bytes are refused, or harmless',
    async (edits) => {
      const bytes = Uint8Array.from(whole);
      for (const [at, value] of edits) bytes[at] = value;
      await expectSafe(bytes);
    },
  );

  test.prop([cuts], { numRuns: 100 })('cut files are refused', async ([a, b]) => {
    await expectSafe(whole.subarray(Math.min(a, b), Math.max(a, b)));
  });
});

describe('a folder with a file of torch.save', () => {
  const bytes = torchFileOf(dictOf({ w: tensorOf([4], '0') }), { 0: numbers(4) });
  const filesOf = (...names: string[]) =>
    withFolder(async (folder) => {
      for (const name of names) await writeFile(join(folder, name), bytes);
      const { files } = await openCheckpoint(folder);
      return files.map((file) => file.slice(folder.length + 1));
    });

  test('is a checkpoint', async () => {
    for (const name of ['lag-llama.ckpt', 'model.pt', 'weights.pth', 'pytorch_model.bin']) {
      expect((await filesOf(name)).map((file) => file.endsWith(name))).toEqual([true]);
    }
    expect((await filesOf('other.ckpt', 'torch_model.ckpt'))[0]).toContain('torch_model.ckpt');
  });

  test('is refused where it holds several, or none', async () => {
    await expect(filesOf('a.ckpt', 'b.pt')).rejects.toThrow('holds several weights: a.ckpt, b.pt');
    await expect(filesOf('.hidden.ckpt', 'data.bin')).rejects.toThrow(
      'nor a file of torch.save (*.ckpt, *.pt)',
    );
  });
});
