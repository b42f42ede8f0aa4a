import { createRequire } from 'node:module';
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { ProtobufWriter } from './protobuf.ts';

interface WireReader {
  readonly pos: number;
  readonly len: number;
  uint32(): number;
  int32(): number;
  int64(): { toString(): string };
  float(): number;
  string(): string;
  bytes(): Uint8Array;
}

// The decoder that onnx-proto is built on.
const { Reader } = createRequire(createRequire(import.meta.url).resolve('onnx-proto'))(
  'protobufjs',
) as { Reader: { create(bytes: Uint8Array): WireReader } };

/** The number of the field and the reader after its key. */
const open = (bytes: Uint8Array): { field: number; wire: number; reader: WireReader } => {
  const reader = Reader.create(bytes);
  const key = reader.uint32();
  return { field: key >>> 3, wire: key & 7, reader };
};

const asBigInt = (value: { toString(): string }): bigint => BigInt(value.toString());

const fields = fc.integer({ min: 1, max: 2 ** 29 - 1 });

describe('integers', () => {
  test.prop([fields, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })])(
    'of 64 bits come back',
    (number, value) => {
      const { field, wire, reader } = open(new ProtobufWriter().integer(number, value).finish());
      expect([field, wire]).toEqual([number, 0]);
      expect(asBigInt(reader.int64())).toBe(value);
      expect(reader.pos).toBe(reader.len);
    },
  );

  test.prop([fc.maxSafeInteger()])('are the same as numbers and as bigints', (value) => {
    const bytes = new ProtobufWriter().integer(1, value).finish();
    expect(bytes).toEqual(new ProtobufWriter().integer(1, BigInt(value)).finish());
  });

  test.prop([fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })])(
    'of 32 bits come back',
    (value) => {
      const { reader } = open(new ProtobufWriter().integer(1, value).finish());
      expect(reader.int32()).toBe(value);
    },
  );

  test('a fraction is refused', () => {
    expect(() => new ProtobufWriter().integer(1, 0.5)).toThrow(RangeError);
  });
});

test.prop([fields, fc.float()])('floats come back', (number, value) => {
  const { field, wire, reader } = open(new ProtobufWriter().float(number, value).finish());
  expect([field, wire]).toEqual([number, 5]);
  expect(reader.float()).toBe(value);
});

test.prop([fc.array(fc.string({ unit: 'binary' })), fc.uint8Array({ maxLength: 5000 })])(
  'texts and bytes come back in order, whatever the size',
  (texts, bytes) => {
    const writer = new ProtobufWriter();
    for (const text of texts) writer.string(1, text);
    const reader = Reader.create(writer.bytes(2, bytes).finish());
    for (const text of texts) {
      reader.uint32();
      expect(reader.string()).toBe(text.toWellFormed());
    }
    reader.uint32();
    expect(new Uint8Array(reader.bytes())).toEqual(bytes);
    expect(reader.pos).toBe(reader.len);
  },
);

test('messages nest', () => {
  const writer = new ProtobufWriter().message(3, (inner) =>
    inner.message(1, (innermost) => innermost.integer(1, 150)),
  );
  expect([...writer.finish()]).toEqual([0x1a, 5, 0x0a, 3, 0x08, 0x96, 0x01]);
});
