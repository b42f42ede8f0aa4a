/** Arrow, Feather and DuckDB: written, read back as rows and as series. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import {
  Decimal,
  Dictionary,
  Int32,
  Int64,
  Table,
  TimestampNanosecond,
  tableToIPC,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeLz4Frame } from './lz4-frame.ts';
import { readSeries } from './read-series.ts';
import { writeTable } from './write-table.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tables-'));
});
afterAll(() => rm(folder, { recursive: true }));

const ROWS = ['a', 'b'].flatMap((id) =>
  [1, 2, 3].map((day) => ({
    unique_id: id,
    ds: `2024-01-0${day}`,
    y: id === 'a' && day === 2 ? null : day * 1.5,
    price: day,
  })),
);

const FORMATS = ['csv', 'ndjson', 'parquet', 'arrow', 'feather', 'duckdb'];

describe.each(FORMATS)('%s', (format) => {
  test('a long frame is written and read back', async () => {
    const path = join(folder, `frame.${format}`);
    await writeTable(path, ROWS);
    const { series } = await readSeries({ path });
    expect(series.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(series[0]!.target).toEqual([1.5, Number.NaN, 4.5]);
    expect(series[1]!.timestamps.map((stamp) => stamp.slice(0, 10))).toEqual([
      '2024-01-01',
      '2024-01-02',
      '2024-01-03',
    ]);
    expect(series[1]!.covariates).toEqual({ price: [1, 2, 3] });
  });
});

test('JSON keeps the rows as they are', async () => {
  const path = join(folder, 'frame.json');
  await writeTable(path, ROWS);
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual(ROWS);
});

test('an unknown ending is refused with the ones that are known', async () => {
  await expect(writeTable(join(folder, 'frame.xlsx'), ROWS)).rejects.toMatchObject({
    code: 'INVALID_REQUEST',
    hint: expect.stringContaining('.parquet'),
  });
});

describe('Arrow', () => {
  const table = new Table({
    unique_id: vectorFromArray(['s', 's', 's'], new Dictionary(new Utf8(), new Int32())),
    ds: vectorFromArray(
      [1_704_067_200_000, 1_704_067_201_500, 1_704_067_203_000],
      new TimestampNanosecond(),
    ),
    y: vectorFromArray([1n, null, 3n], new Int64()),
    price: vectorFromArray(
      [Uint32Array.of(150, 0, 0, 0), Uint32Array.of(0xffffff6a, ...Array(3).fill(0xffffffff))],
      new Decimal(2, 10, 128),
    ).concat(vectorFromArray([Uint32Array.of(0, 0, 0, 0)], new Decimal(2, 10, 128))),
  });

  test.each(['file', 'stream'] as const)('types of a %s', async (kind) => {
    const path = join(folder, kind);
    await writeFile(path, tableToIPC(table, kind));
    const { series } = await readSeries({ path });
    expect(series).toMatchObject([
      {
        id: 's',
        timestamps: ['2024-01-01T00:00:00', '2024-01-01T00:00:01.500', '2024-01-01T00:00:03'],
        target: [1, Number.NaN, 3],
        covariates: { price: [1.5, -1.5, 0] },
      },
    ]);
  });

  test('a damaged file is named', async () => {
    const path = join(folder, 'cut.arrow');
    await writeFile(path, tableToIPC(table, 'stream').slice(0, 400));
    await expect(readSeries({ path })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining('cut.arrow'),
    });
  });
});

describe('DuckDB', () => {
  test('one of several tables is named, views cannot reach out', async () => {
    const path = join(folder, 'several.duckdb');
    await writeTable(`${path}::sales`, ROWS);
    await writeTable(`${path}::"odd" name`, ROWS.slice(0, 3));
    await writeTable(`${path}::sales`, ROWS.slice(3));
    const one = await readSeries({ path: `${path}::sales` });
    expect(one.series.map(({ id }) => id)).toEqual(['b']);
    const odd = await readSeries({ path: `${path}::"odd" name` });
    expect(odd.series.map(({ id }) => id)).toEqual(['a']);
    await expect(readSeries({ path })).rejects.toThrow('has several tables');
    await expect(readSeries({ path: `${path}::other` })).rejects.toThrow("has no table 'other'");
  });

  test('a database that was read can be written at once', async () => {
    const path = join(folder, 'again.duckdb');
    await writeTable(path, ROWS);
    await readSeries({ path });
    await writeTable(`${path}::second`, ROWS);
    await expect(readSeries({ path })).rejects.toThrow('has several tables');
    await writeTable(`${path}::third`, ROWS);
  });

  test('a view of other files is refused', async () => {
    const secret = join(folder, 'secret.csv');
    await writeTable(secret, ROWS);
    const path = join(folder, 'view.duckdb');
    const instance = await DuckDBInstance.create(path);
    const connection = await instance.connect();
    await connection.run(`create view v as select * from read_csv('${secret}')`);
    connection.closeSync();
    instance.closeSync();
    await expect(readSeries({ path })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });
});

describe('LZ4 frames', () => {
  // "aaaaaaaaaaaaaaaabcd" as one block with a match that overlaps itself, without checksums.
  const block = Uint8Array.of(0x1b, 0x61, 0x01, 0x00, 0x40, 0x62, 0x63, 0x64, 0x65);
  const frame = (body: Uint8Array, flags = 0x60): Uint8Array =>
    Uint8Array.of(
      0x04,
      0x22,
      0x4d,
      0x18,
      flags,
      0x40,
      0,
      body.length,
      0,
      0,
      0,
      ...body,
      0,
      0,
      0,
      0,
    );

  test('a match may overlap what it writes', () => {
    expect(Buffer.from(decodeLz4Frame(frame(block))).toString()).toBe('aaaaaaaaaaaaaaaabcde');
  });

  test('stored blocks', () => {
    const stored = frame(Uint8Array.of(1, 2, 3));
    stored[10] = 0x80;
    expect([...decodeLz4Frame(stored)]).toEqual([1, 2, 3]);
  });

  test.each([
    ['nothing', new Uint8Array()],
    ['another format', Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)],
    ['cut off', frame(block).slice(0, 14)],
    ['a match before the start', frame(Uint8Array.of(0x10, 0x61, 0x05, 0x00))],
  ])('%s is refused', (_, bytes) => {
    expect(() => decodeLz4Frame(bytes)).toThrow(RangeError);
  });
});
