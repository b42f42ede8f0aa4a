import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TollamaError } from '@tollama/core/errors';
import { describe, expect, test } from 'vitest';
import { openRegularFile, readPart } from '../safetensors/regular-file.ts';
import { withFolder } from '../testing/run-graph.ts';
import { type ArchiveEntry, zipOf } from '../testing/torch-archive.ts';
import { readZipDirectory } from './zip-directory.ts';

const refuse = (why: string): never => {
  throw new TollamaError('CHECKPOINT_INVALID', why);
};

/** The entries of an archive, with their bytes as text. */
const read = (bytes: Uint8Array): Promise<Record<string, string>> =>
  withFolder(async (folder) => {
    const path = join(folder, 'archive');
    await writeFile(path, bytes);
    await using file = await openRegularFile(path);
    const found: Record<string, string> = {};
    for (const [name, { offset, sizeBytes }] of await readZipDirectory(file, refuse)) {
      found[name] = new TextDecoder().decode(await readPart(file, offset, sizeBytes));
    }
    return found;
  });

const entry = (name: string, text: string, rest: Partial<ArchiveEntry> = {}): ArchiveEntry => ({
  name,
  data: new TextEncoder().encode(text),
  ...rest,
});
const two = [entry('a/first', 'one'), entry('a/second', 'three')];

describe('readZipDirectory', () => {
  test.each([
    ['an archive', {}],
    ['sizes in 64 bits', { zip64: true }],
    ['a comment', { comment: 'PK\u0005\u0006 looks like an end, and is none' }],
  ])('finds the entries of %s', async (_, options) => {
    expect(await read(zipOf(two, options))).toEqual({ 'a/first': 'one', 'a/second': 'three' });
  });

  test('finds nothing in an empty archive', async () => {
    expect(await read(zipOf([]))).toEqual({});
  });

  const cut = (bytes: Uint8Array, from: number, to: number): Uint8Array => bytes.slice(from, to);
  const patched = (bytes: Uint8Array, at: number, ...values: number[]): Uint8Array => {
    const copy = bytes.slice();
    copy.set(values, at < 0 ? copy.length + at : at);
    return copy;
  };

  test.each<[string, Uint8Array, string]>([
    ['an empty file', new Uint8Array(), 'it has 0 bytes, too few for an archive'],
    ['zeros', new Uint8Array(100), 'it has no end of a zip directory'],
    ['a cut archive', cut(zipOf(two), 0, -1), 'it has no end of a zip directory'],
    ['bytes after the end', Buffer.concat([zipOf(two), Buffer.from('x')]), 'it has no end'],
    ['a cut start', cut(zipOf(two), 1, 1e6), 'its directory of 107 bytes at 133 leaves the file'],
    [
      'a compressed entry',
      zipOf([entry('a/first', 'one', { method: 8 })]),
      'entry "a/first" is compressed (method 8); only stored entries are read',
    ],
    ['an encrypted entry', zipOf([entry('a', 'one', { flags: 1 })]), 'entry "a" is encrypted'],
    ['an entry twice', zipOf([entry('a', '1'), entry('a', '2')]), 'entry "a" is listed twice'],
    [
      'entries that share bytes',
      zipOf([entry('a', '1'), entry('b', '2', { ownName: 'a', claims: { offset: 0 } })]),
      'entry "b" has another name at 0',
    ],
    [
      'an entry inside of another',
      zipOf([
        { name: 'outer', data: zipOf([entry('in', 'x')]) },
        entry('in', 'x', { claims: { offset: 64 } }),
      ]),
      'entries "outer" and "in" overlap',
    ],
    [
      'a size beyond the file',
      zipOf([entry('a', '1', { claims: { size: 1e6 } })]),
      'entry "a" of 1000000 bytes at 64 leaves the file',
    ],
    [
      'a size of 64 bits',
      zipOf([entry('a', '1', { claims: { size: 2 ** 52 } })], { zip64: true }),
      'entry "a" of 4503599627370496 bytes at 64 leaves the file',
    ],
    [
      'two sizes',
      zipOf([entry('a', '1', { claims: { stored: 0 } })]),
      'entry "a" is stored in 0 bytes and has 1',
    ],
    [
      'a place beyond the entries',
      zipOf([entry('a', '1', { claims: { offset: 4000 } })]),
      'entry "a" lies at 4000, past the entries',
    ],
    ['fewer entries than claimed', zipOf(two, { count: 3 }), 'its directory is malformed'],
    ['more entries than claimed', zipOf(two, { count: 1 }), 'of its directory belong to no entry'],
    [
      'endless entries',
      zipOf(two, { count: 2 ** 50, zip64: true }),
      'its directory lists 1125899906842624 entries',
    ],
    ['a directory with more', zipOf(two, { trailing: new Uint8Array(9) }), '9 bytes of its'],
    ['several disks', patched(zipOf(two), -18, 1), 'it spans several disks'],
    ['no 64-bit end', patched(zipOf(two, { zip64: true }), -42, 0), 'its 64-bit end is missing'],
    [
      'a 64-bit end elsewhere',
      patched(zipOf(two, { zip64: true }), -34, 255, 255, 255),
      'past the directory',
    ],
    [
      'a name that is not UTF-8',
      patched(zipOf([entry('a', '1')]), 64 + 1 + 46, 255),
      'the name of an entry is not UTF-8',
    ],
  ])('refuses %s', async (_, bytes, message) => {
    await expect(read(bytes)).rejects.toThrow(TollamaError);
    await expect(read(bytes)).rejects.toThrow(message);
  });
});
