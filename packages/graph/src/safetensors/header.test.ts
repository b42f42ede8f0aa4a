import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { TollamaError } from '@tollama/core/errors';
import { describe, expect } from 'vitest';
import { withFolder } from '../testing/run-graph.ts';
import { readSafetensorsHeader, type SafetensorsHeader } from './header.ts';

/** A file of this header text and data; `length` is what the first 8 bytes claim. */
const fileOf = (
  header: string | Uint8Array,
  data: Uint8Array = new Uint8Array(),
  length?: bigint,
): Uint8Array => {
  const text = typeof header === 'string' ? Buffer.from(header) : header;
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(length ?? BigInt(text.length));
  return Buffer.concat([prefix, text, data]);
};

const read = (bytes: Uint8Array): Promise<SafetensorsHeader> =>
  withFolder(async (folder) => {
    const path = join(folder, 'model.safetensors');
    await writeFile(path, bytes);
    return readSafetensorsHeader(path);
  });

const tensor = (begin: unknown, end: unknown, shape: unknown = [2], dtype = 'F32'): string =>
  JSON.stringify({ dtype, shape, data_offsets: [begin, end] });

const bytes = (count: number): Uint8Array => new Uint8Array(count);

/** One tensor of which one field is replaced by other JSON. */
const with1 = (field: string, json: string): string =>
  `{"a":${tensor(0, 8).replace(new RegExp(`"${field}":(\\[[^\\]]*\\]|"[^"]*")`), `"${field}":${json}`)}}`;

const REFUSED: readonly (readonly [string, Uint8Array, string])[] = [
  ['an empty file', bytes(0), 'the file has 0 bytes, too few for a header'],
  ['a file of 7 bytes', bytes(7), 'too few for a header'],
  ['a file of 8 zeros', bytes(8), 'the header is not a JSON object'],
  ['a header longer than the file', fileOf('{}', bytes(4), 7n), 'claims 7 bytes, the file has 14'],
  [
    'a header of 2^64-1 bytes',
    fileOf('{}', bytes(0), 2n ** 64n - 1n),
    'claims 18446744073709551615',
  ],
  ['a header that is not UTF-8', fileOf(Buffer.from([0x7b, 0xff, 0x7d])), 'is not UTF-8'],
  ['a header that is cut', fileOf('{"a"'), 'is not JSON'],
  ['a header that is an array', fileOf('[]'), 'is not a JSON object'],
  ['a header that is a number', fileOf('7'), 'is not a JSON object'],
  ['a header behind a blank', fileOf(' {}'), 'is not a JSON object'],
  ['a header behind a byte order mark', fileOf('\uFEFF{}'), 'is not a JSON object'],
  ['text after the header', fileOf('{} x'), 'is not JSON'],
  ['an open string', fileOf('{"a'), 'is not JSON'],
  ['an open escape', fileOf('{"a\\'), 'is not JSON'],
  [
    'a tensor twice',
    fileOf(`{"a":${tensor(0, 8)},"a":${tensor(0, 8)}}`, bytes(8)),
    '"a" is listed twice',
  ],
  [
    'a tensor twice, once in escapes',
    fileOf(`{"\\u0061":${tensor(0, 8)},"a":${tensor(0, 8)}}`, bytes(8)),
    '"a" is listed twice',
  ],
  [
    'a field twice',
    fileOf('{"a":{"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]}}', bytes(8)),
    '"shape" is listed twice',
  ],
  ['a tensor that is a number', fileOf('{"a":1}'), "tensor 'a' is not described by an object"],
  ['a tensor that is null', fileOf('{"a":null}'), "tensor 'a' is not described by an object"],
  ['an unknown type', fileOf(with1('dtype', '"F7"'), bytes(8)), `has the type "F7"; known are F32`],
  [
    'a type of the prototype',
    fileOf(with1('dtype', '"toString"'), bytes(8)),
    'has the type "toString"',
  ],
  ['no type', fileOf('{"a":{"shape":[2],"data_offsets":[0,8]}}', bytes(8)), 'has the type nothing'],
  ['no shape', fileOf('{"a":{"dtype":"F32","data_offsets":[0,8]}}', bytes(8)), 'the shape nothing'],
  ['no offsets', fileOf('{"a":{"dtype":"F32","shape":[2]}}', bytes(8)), 'the offsets nothing'],
  ['a negative size', fileOf(with1('shape', '[-2]'), bytes(8)), 'has the shape [-2]'],
  ['a fractional size', fileOf(with1('shape', '[2.5]'), bytes(8)), 'has the shape [2.5]'],
  ['a size as text', fileOf(with1('shape', '["2"]'), bytes(8)), 'has the shape ["2"]'],
  ['a size beyond 2^53', fileOf(with1('shape', '[9007199254740993]'), bytes(8)), 'has the shape'],
  [
    'a rank of 40',
    fileOf(with1('shape', JSON.stringify(Array(40).fill(1))), bytes(8)),
    'at most 32',
  ],
  [
    'a shape that overflows',
    fileOf(with1('shape', '[4294967296,4294967296]'), bytes(8)),
    'overflows',
  ],
  [
    'a shape of other size',
    fileOf(with1('shape', '[3]'), bytes(8)),
    'needs 12 bytes, its offsets give 8',
  ],
  ['a type of other size', fileOf(with1('dtype', '"F16"'), bytes(8)), 'needs 4 bytes, its offsets'],
  ['negative offsets', fileOf(with1('data_offsets', '[-8,0]'), bytes(8)), 'has the offsets [-8,0]'],
  [
    'fractional offsets',
    fileOf(with1('data_offsets', '[0,8.5]'), bytes(9)),
    'has the offsets [0,8.5]',
  ],
  ['one offset', fileOf(with1('data_offsets', '[8]'), bytes(8)), 'has the offsets [8]'],
  ['offsets beyond 2^53', fileOf(with1('data_offsets', '[0,1e300]'), bytes(8)), 'has the offsets'],
  ['offsets backwards', fileOf(with1('data_offsets', '[8,0]'), bytes(8)), 'spans 8 to 0'],
  ['offsets past the end', fileOf(with1('data_offsets', '[8,16]'), bytes(8)), 'spans 8 to 16'],
  [
    'tensors that overlap',
    fileOf(`{"a":${tensor(0, 8)},"b":${tensor(4, 12)}}`, bytes(12)),
    "tensors 'a' and 'b' overlap",
  ],
  [
    'tensors in one place',
    fileOf(`{"a":${tensor(0, 8)},"b":${tensor(0, 8)}}`, bytes(8)),
    "tensors 'a' and 'b' overlap",
  ],
  [
    'a hole',
    fileOf(`{"a":${tensor(0, 8)},"b":${tensor(12, 20)}}`, bytes(20)),
    "4 bytes before tensor 'b' belong to no tensor",
  ],
  ['a hole at the start', fileOf(`{"a":${tensor(4, 12)}}`, bytes(12)), "4 bytes before tensor 'a'"],
  ['trailing bytes', fileOf(`{"a":${tensor(0, 8)}}`, bytes(9)), '1 bytes at the end belong to no'],
  ['metadata that is an array', fileOf('{"__metadata__":[]}'), '__metadata__ is []'],
  ['metadata of numbers', fileOf('{"__metadata__":{"a":1}}'), '__metadata__ is {"a":1}'],
  [
    'an endless name',
    fileOf(`{"${'n'.repeat(2000)}":${tensor(0, 8)}}`, bytes(8)),
    '2000 characters',
  ],
  ['an endless type', fileOf(with1('dtype', `"${'F'.repeat(1e5)}"`), bytes(8)), 'F...; known are'],
];

describe('refuses', () => {
  test.each(REFUSED)('%s', async (_, file, message) => {
    const error = await read(file).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TollamaError);
    expect(error).toMatchObject({ code: 'CHECKPOINT_INVALID' });
    expect((error as TollamaError).message).toContain(message);
    expect((error as TollamaError).message).toMatch(/^model\.safetensors: /);
    expect((error as TollamaError).message.length).toBeLessThan(400);
  });

  test('a header over the limit, before it is read', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'model.safetensors');
      await writeFile(path, fileOf('{', bytes(0), 100_000_001n));

      await truncate(path, 200_000_000);
      await expect(readSafetensorsHeader(path)).rejects.toThrow('at most 100000000 are read');
    });
  });

  test('a file that is not there, and a folder', async () => {
    await withFolder(async (folder) => {
      await expect(readSafetensorsHeader(join(folder, 'a'))).rejects.toMatchObject({
        code: 'CHECKPOINT_INVALID',
      });
      await expect(readSafetensorsHeader(folder)).rejects.toThrow('is not a file');
    });
  });
});

describe('accepts', () => {
  test('a file without tensors', async () => {
    expect((await read(fileOf('{}'))).size).toBe(0);
    expect((await read(fileOf('{"__metadata__":{"format":"pt"}}   '))).size).toBe(0);
  });

  test('empty tensors, scalars, and any order of the entries', async () => {
    const scalar = tensor(8, 12, []);
    const empty = tensor(8, 8, [0, 3]);
    const header = await read(
      fileOf(`{"scalar":${scalar},"a":${tensor(0, 8)},"empty":${empty}}`, bytes(12)),
    );
    const start = header.get('a')!.offset;
    expect(header.get('empty')).toEqual({
      dtype: 'float32',
      shape: [0, 3],
      offset: start + 8,
      sizeBytes: 0,
    });
    expect(header.get('scalar')).toMatchObject({ shape: [], offset: start + 8, sizeBytes: 4 });
  });

  test('names of the prototype and of other scripts', async () => {
    const names = ['__proto__', 'constructor', 'toString', 'größe', '重み', '\u0000', 'a b', '1'];
    const entries = names.map((name, i) => `${JSON.stringify(name)}:${tensor(i * 8, i * 8 + 8)}`);
    const header = await read(fileOf(`{${entries.join(',')}}`, bytes(names.length * 8)));
    expect([...header.keys()].toSorted()).toEqual(names.toSorted());
  });

  test('every type', async () => {
    const types = { F32: 4, F16: 2, BF16: 2, F64: 8, I64: 8, I32: 4, I8: 1, U8: 1, BOOL: 1 };
    for (const [dtype, size] of Object.entries(types)) {
      const header = await read(
        fileOf(`{"a":${tensor(0, 3 * size, [3], dtype)}}`, bytes(3 * size)),
      );
      expect(header.get('a')!.sizeBytes).toBe(3 * size);
    }
  });
});

describe('stays bounded', () => {
  const MEGABYTE = 2 ** 20;
  // Parsed as they are, these take gigabytes; the message shows that they were refused before.
  test.each([
    ['arrays in arrays', '{"a":'.padEnd(16 * MEGABYTE, '['), 'nested more than 8 deep'],
    ['objects in objects', '{"a":'.repeat(MEGABYTE), 'nested more than 8 deep'],
    ['one endless string', `{"${'a'.repeat(8 * MEGABYTE)}`, 'is not JSON'],
    ['one endless key', `{"${'a'.repeat(8 * MEGABYTE)}":1}`, 'characters; at most 1000'],
    ['an endless list', `{"a":[${'1,'.repeat(5 * MEGABYTE)}1]}`, 'more than 4000000 values'],
    [
      'too many tensors',
      `{${Array.from({ length: 200_000 }, (_, i) => `"${i}":{}`).join(',')}}`,
      '200000 tensors; at most 100000',
    ],
  ])('with %s', async (_, header, message) => {
    const error = await read(fileOf(header)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'CHECKPOINT_INVALID' });
    expect((error as Error).message).toContain(message);
    expect((error as Error).message.length).toBeLessThan(400);
  });
});

const VALID = fileOf(
  `{"__metadata__":{"format":"pt"},"a":${tensor(0, 8)},"b.weight":${tensor(8, 32, [2, 3])},"c":${tensor(32, 36, [2], 'BF16')}}`,
  bytes(36),
);

const JSON_BYTES = [...'{}[]",:0123456789-.eE\\u \n'].map((character) => character.charCodeAt(0));

const mutations = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('set' as const),
      at: fc.nat({ max: VALID.length - 1 }),
      byte: fc.oneof(fc.constantFrom(...JSON_BYTES), fc.nat({ max: 255 })),
    }),
    fc.record({ kind: fc.constant('cut' as const), at: fc.nat({ max: VALID.length }) }),
    fc.record({
      kind: fc.constant('insert' as const),
      at: fc.nat({ max: VALID.length }),
      bytes: fc.uint8Array({ maxLength: 9 }),
    }),
  ),
  { minLength: 1, maxLength: 6 },
);

type Mutation = typeof mutations extends fc.Arbitrary<(infer M)[]> ? M : never;

const mutate = (file: Uint8Array, mutation: Mutation): Uint8Array => {
  const { kind, at } = mutation;
  if (kind === 'set') return file.map((byte, i) => (i === at ? mutation.byte : byte));
  if (kind === 'cut') return file.slice(0, at);
  return Buffer.concat([file.slice(0, at), mutation.bytes, file.slice(at)]);
};

test.prop([mutations], { numRuns: 500 })(
  'a damaged file is refused as such, or read as what it is',
  async (changes) => {
    const file = changes.reduce(mutate, VALID);
    try {
      const header = await read(file);
      for (const { offset, sizeBytes } of header.values()) {
        expect(offset).toBeGreaterThanOrEqual(8);
        expect(offset + sizeBytes).toBeLessThanOrEqual(file.length);
      }
    } catch (error) {
      expect(error).toBeInstanceOf(TollamaError);
      expect(error).toMatchObject({ code: 'CHECKPOINT_INVALID' });
    }
  },
);
