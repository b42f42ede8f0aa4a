import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { LineSplitter } from './line-splitter.ts';

test.prop([
  fc.array(fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\n', ''))),
  fc.integer({ min: 1, max: 7 }),
])('however the bytes are cut, the lines are the same', (lines, size) => {
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  const splitter = new LineSplitter();
  const got: string[] = [];
  for (let i = 0; i < bytes.length; i += size)
    got.push(...splitter.push(bytes.subarray(i, i + size)));
  expect(got).toEqual(lines);
});

test('a line beyond the limit is dropped, the next one comes through', () => {
  const splitter = new LineSplitter({ maxLength: 5 });
  expect(splitter.push(Buffer.from('abc\n123'))).toEqual(['abc']);
  expect(splitter.push(Buffer.from('456789\nok\n'))).toEqual(['ok']);
});

test('lines that begin otherwise are dropped as they come', () => {
  const splitter = new LineSplitter({ startsWith: '{' });
  expect(splitter.push(Buffer.from('garbage'))).toEqual([]);
  expect(splitter.push(Buffer.from(' {"a":1}\n{"b"'))).toEqual([]);
  expect(splitter.push(Buffer.from(':2}\n\n{}\n'))).toEqual(['{"b":2}', '', '{}']);
});
