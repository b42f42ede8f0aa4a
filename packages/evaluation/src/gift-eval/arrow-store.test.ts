import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  Field,
  Float32,
  List,
  Table,
  TimestampSecond,
  tableToIPC,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import { expect, test } from 'vitest';
import { testFolder } from '../testing/synthetic-store.ts';
import { readArrowStore } from './arrow-store.ts';
import { readConfigurations, readDataFile, toConfiguration } from './read-data.ts';

type Target = readonly (number | null)[] | readonly (readonly number[])[];

interface Item {
  readonly id: string;
  readonly target: Target;
}

const values = new List(new Field('item', new Float32(), true));
const START = Date.UTC(2020, 0, 1, 6);

const tableOf = (items: readonly Item[], freq: string): Table => {
  const isNested = Array.isArray(items[0]!.target[0]);
  const type = isNested ? new List(new Field('item', values, true)) : values;
  return new Table({
    item_id: vectorFromArray(
      items.map(({ id }) => id),
      new Utf8(),
    ),
    start: vectorFromArray(
      items.map(() => START),
      new TimestampSecond(),
    ),
    freq: vectorFromArray(
      items.map(() => freq),
      new Utf8(),
    ),
    target: vectorFromArray(items.map(({ target }) => target) as never[], type),
  });
};

/** As `save_to_disk` leaves it: shards in an order of their own. */
const writeStore = async (folder: string, shards: readonly (readonly Item[])[], freq: string) => {
  await mkdir(folder, { recursive: true });
  const names = shards.map((_, i) => `data-0000${shards.length - i}.arrow`);
  for (const [i, items] of shards.entries()) {
    await writeFile(join(folder, names[i]!), tableToIPC(tableOf(items, freq), 'stream'));
  }
  const state = { _data_files: names.map((filename) => ({ filename })) };
  await writeFile(join(folder, 'state.json'), JSON.stringify(state));
  await writeFile(join(folder, 'dataset_info.json'), '{}');
};

const long = (length: number, level: number): number[] =>
  Array.from({ length }, (_, t) => level + (t % 7));

test('series come in the order of the state, missing values as NaN', async () => {
  await using folder = await testFolder();
  const shards = [[{ id: 'a', target: [1, null, 2.5] }], [{ id: 'b', target: [4, 5] }]];
  await writeStore(folder.path, shards, 'H');
  const { series, digest } = await readArrowStore(folder.path);
  expect(series).toEqual([
    {
      id: 'a',
      start: '2020-01-01T06:00:00',
      freq: 'H',
      target: Float64Array.of(1, Number.NaN, 2.5),
    },
    { id: 'b', start: '2020-01-01T06:00:00', freq: 'H', target: Float64Array.of(4, 5) },
  ]);
  expect(digest).toMatch(/^[\da-f]{64}$/);
});

test('several variates become series of their own', async () => {
  await using folder = await testFolder();
  const item = {
    id: 'e',
    target: [
      [1, 2],
      [3, 4],
    ],
  };
  await writeStore(folder.path, [[item]], 'D');
  const { series } = await readArrowStore(folder.path);
  expect(series.map(({ id, target }) => [id, [...target]])).toEqual([
    ['e_dim0', [1, 2]],
    ['e_dim1', [3, 4]],
  ]);
});

test("the benchmark's folders are its configurations, without a configs.json", async () => {
  await using folder = await testFolder();
  await writeStore(
    join(folder.path, 'ett1/H'),
    [[{ id: 'x', target: [long(900, 1), long(900, 2)] }]],
    'H',
  );
  await writeStore(join(folder.path, 'm4_weekly'), [[{ id: 'w', target: long(120, 3) }]], 'W-SUN');
  await writeStore(
    join(folder.path, 'car_parts_with_missing'),
    [[{ id: 'c', target: long(60, 3) }]],
    'M',
  );
  const sources = await readConfigurations(folder.path);
  const configurations = await Promise.all(
    sources.map(async (source) =>
      toConfiguration(source, await readDataFile(folder.path, source.file)),
    ),
  );
  expect(
    configurations.map(({ name, horizon, windows, season, domain, variates, series }) =>
      [name, horizon, windows, season, domain, variates, series.length].join(' '),
    ),
  ).toEqual([
    'm4_weekly/W/short 13 1 1 Econ/Fin 1 1',
    'car_parts/M/short 12 1 12 Sales 1 1',
    'ett1/H/short 48 2 24 Energy 7 2',
    'ett1/H/medium 480 1 24 Energy 7 2',
    'ett1/H/long 720 1 24 Energy 7 2',
  ]);
});

test('what is no such data set is said by name', async () => {
  await using folder = await testFolder();
  await expect(readConfigurations(folder.path)).rejects.toThrow('configs.json');
  await writeFile(join(folder.path, 'data-0.arrow'), 'not arrow');
  await expect(readArrowStore(folder.path)).rejects.toThrow('data-0.arrow');
  await writeFile(join(folder.path, 'state.json'), '{"_data_files": [], "_indices_files": [{}]}');
  await expect(readArrowStore(folder.path)).rejects.toThrow('chooses rows by an index');
});
