import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { CovariateSupport } from '@tollama/core/capabilities';
import { afterAll, describe, expect, test } from 'vitest';
import type { PanelSeries } from '../block/panel-block.ts';
import type { PanelColumnOptions } from './columns.ts';
import type { CovariateOptions } from './covariate-columns.ts';
import { openDuckDb } from './duckdb.ts';
import { findPanel } from './find-panel.ts';
import { planPanel, readPanel } from './read-panel.ts';
import { tableOf } from './source.ts';

const folder = mkdtempSync(join(tmpdir(), 'tollama-panel-'));
const database = await openDuckDb({ temporaryFolder: folder, memoryMegabytes: 200, threads: 1 });
afterAll(() => {
  database[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});
const { signal } = new AbortController();
const EVERYTHING = CovariateSupport.parse({
  past_covariates_numeric: true,
  past_covariates_categorical: true,
  future_covariates_numeric: true,
  future_covariates_categorical: true,
  static_covariates: true,
});

let files = 0;
const write = (content: string | Uint8Array, name = `panel-${files++}.csv`): string => {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
};

interface Asked extends PanelColumnOptions {
  readonly covariates?: CovariateOptions;
  readonly future?: string;
  readonly support?: CovariateSupport;
  readonly warnings?: string[];
}

const read = async (paths: string | readonly string[], asked: Asked = {}) => {
  const { covariates = {}, future, support = EVERYTHING, warnings, ...columns } = asked;
  const panel = await findPanel(database, {
    panel: { table: tableOf([paths].flat()), shown: 'panel' },
    future: future === undefined ? undefined : { table: tableOf([future]), shown: 'future' },
    ...{ columns, covariates, model: { model: 'm', family: 'f', support } },
    onWarning: (text) => warnings?.push(text),
  });
  const { isOrdered, rowsWithoutId } = await planPanel(database, panel, signal);
  const series: PanelSeries[] = [];
  for await (const one of readPanel(database, panel, { isOrdered, signal })) series.push(one);
  return { series, rowsWithoutId, kind: panel.columns.kind };
};

/** id, times without the clock, values; or what is wrong. */
const shown = ({ series }: { readonly series: readonly PanelSeries[] }) =>
  series.map(({ id, times, values, problem }) =>
    problem === undefined
      ? [
          id,
          [...times].map((time) => new Date(time / 1000).toISOString().slice(5, 10)),
          [...values],
        ]
      : [id, problem],
  );

describe('wide panels', () => {
  const wide = write('date,b,a/1,temp\n2024-01-01,,1,20\n2024-01-02,5,2,21\n2024-01-03,6,,22\n');

  test('have a series for each column, from its first value on', async () => {
    expect(shown(await read(wide))).toEqual([
      ['a/1', ['01-01', '01-02', '01-03'], [1, 2, Number.NaN]],
      ['b', ['01-02', '01-03'], [5, 6]],
      ['temp', ['01-01', '01-02', '01-03'], [20, 21, 22]],
    ]);
  });

  test('have only the columns that were named', async () => {
    const { series } = await read(wide, { targetColumns: ['b', 'a/1'] });
    expect(series.map(({ id }) => id)).toEqual(['a/1', 'b']);
  });

  test('share their covariates, known beforehand for all series alike', async () => {
    const future = write('date,temp\n2024-01-03,0\n2024-01-04,23\n2024-01-05,24\n');
    const { series } = await read(wide, { future });
    expect(series.map(({ id, covariates }) => [id, covariates])).toEqual([
      [
        'a/1',
        {
          columns: [Float64Array.of(20, 21, 22, 23, 24)],
          futureTimes: Float64Array.of(4, 5).map((day) => Date.UTC(2024, 0, day) * 1000),
          statics: {},
        },
      ],
      ['b', expect.objectContaining({ columns: [Float64Array.of(21, 22, 23, 24)] })],
    ]);
  });

  test('are read some columns at a time, in the order of all, from any of them on', async () => {
    const ids = Array.from({ length: 600 }, (_, i) => `s${i}`);
    const cells = ids.map((id, i) => `${i} + r AS ${id}`).join(', ');
    const path = join(folder, 'wide.parquet');
    const rows = `SELECT DATE '2024-01-01' + r::INT AS ds, ${cells} FROM range(3) t(r)`;
    await database.connection.run(`COPY (${rows}) TO '${path}'`);
    const { series } = await read(path);
    expect(series.map(({ id }) => id)).toEqual(ids.toSorted());
    for (const { id, values } of series) {
      expect([...values]).toEqual([0, 1, 2].map((r) => Number(id.slice(1)) + r));
    }
    const table = tableOf([path]);
    const model = { model: 'm', family: 'f', support: EVERYTHING };
    const panel = await findPanel(database, {
      ...{ panel: { table, shown: 'panel' }, future: undefined },
      ...{ columns: {}, covariates: {}, model },
    });
    expect(await planPanel(database, panel, signal)).toEqual({
      ...{ isOrdered: false, series: 600, rows: 1800, rowsWithoutId: 0 },
    });
    const rest: string[] = [];
    for await (const { id } of readPanel(database, panel, {
      ...{ isOrdered: false, after: 's98', signal },
    })) {
      rest.push(id);
    }
    expect(rest).toEqual(ids.filter((id) => id > 's98').toSorted());
  });

  test('are refused beside ids', async () => {
    const both = write('unique_id,ds,north,south\na,2024-01-01,1,2\nb,2024-01-01,1,2\n');
    await expect(read(both)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: 'panel: 2 columns could be forecast: north, south',
    });
  });
});

describe('covariates', () => {
  const rows = [
    ...['b,2024-01-02,2,1,rain,X,3', 'b,2024-01-01,1,0,sun,X,4', 'a,2024-01-01,7,0,sun,Y,5'],
    ...['a,2024-01-02,,1,sun,Y,6', 'a,2024-01-03,,2,rain,Y,7', 'b,2024-01-03,,1,rain,X,8'],
  ];
  const panel = write(`unique_id,ds,y,promo,sky,shop,stock\n${rows.join('\n')}\n`);
  const covariates = { past: ['stock'], future: ['promo', 'sky'], static: ['shop'] };

  test('of the future stand in the rows after the last value', async () => {
    const { series } = await read(panel, { covariates });
    expect(series.map(({ id, values, covariates: found }) => [id, [...values], found])).toEqual([
      [
        'a',
        [7],
        {
          columns: [Float64Array.of(5), Float64Array.of(0, 1, 2), ['sun', 'sun', 'rain']],
          futureTimes: Float64Array.of(2, 3).map((day) => Date.UTC(2024, 0, day) * 1000),
          statics: { shop: 'Y' },
        },
      ],
      [
        'b',
        [1, 2],
        {
          columns: [Float64Array.of(4, 3), Float64Array.of(0, 1, 1), ['sun', 'rain', 'rain']],
          futureTimes: Float64Array.of(Date.UTC(2024, 0, 3) * 1000),
          statics: { shop: 'X' },
        },
      ],
    ]);
  });

  test('of the future stand in a file of their own, for each id', async () => {
    const future = write(
      'DS,unique_id,promo,sky\n2024-01-05,b,9,fog\n2024-01-04,b,8,fog\n2024-01-03,c,1,x\n',
    );
    const { series } = await read(panel, { covariates, future });
    const [a, b, c] = series;
    expect(a!.covariates!.futureTimes).toHaveLength(0);
    expect(a!.values).toEqual(Float64Array.of(7, Number.NaN, Number.NaN));
    expect(b!.covariates!.columns[1]).toEqual(Float64Array.of(0, 1, 1, 8, 9));
    expect(b!.covariates!.columns[2]).toEqual(['sun', 'rain', 'rain', 'fog', 'fog']);
    expect(c!.problem).toBe('only the file of the future has it');
  });

  test('that a model cannot use are refused, or left out and told', async () => {
    const support = CovariateSupport.parse({ future_covariates_numeric: true });
    await expect(read(panel, { covariates, support })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      message:
        "model 'm' (family=f) does not support past-only numeric covariates; covariate='stock'",
    });
    const warnings: string[] = [];
    const lenient = { ...covariates, mode: 'best_effort' as const };
    const { series } = await read(panel, { covariates: lenient, support, warnings });
    expect(series[0]!.covariates).toMatchObject({
      columns: [Float64Array.of(0, 1, 2)],
      statics: {},
    });
    expect(warnings).toHaveLength(3);
  });

  test.each([
    [{ past: ['stok'] }, "there is no column 'stok'"],
    [{ past: ['promo'], future: ['promo'] }, "covariate 'promo' is named twice"],
  ])('%o is refused', async (named, message) => {
    await expect(read(panel, { covariates: named })).rejects.toThrow(message);
  });

  test('that change within a series, or are no numbers, are its problem', async () => {
    const odd = write('unique_id,ds,y,k,x\na,1,1,1,1\na,2,2,2,1\nb,1,1,1,1\nb,2,2,1,inf\n');
    const { series } = await read(odd, { covariates: { static: ['k'], past: ['x'] } });
    expect(series.map(({ problem }) => problem)).toEqual([
      "static covariate 'k' has 2 values",
      "covariate 'x' has a value that is not a finite number",
    ]);
  });
});

describe('odd panels', () => {
  test('times out of order are put in order, twice the same time is a problem', async () => {
    const path = write('id,ds,y\na,2024-01-03,3\na,2024-01-01,1\nb,2024-01-01,1\nb,2024-01-01,2\n');
    expect(shown(await read(path))).toEqual([
      ['a', ['01-01', '01-03'], [1, 3]],
      ['b', 'two rows have the time 2024-01-01'],
    ]);
  });

  test('ids may be anything but nothing', async () => {
    const ids = ['a/b', 'line\nbreak', '🙂', '"', "it's", ' spaced ', '🇩🇪'];
    const lines = ids.flatMap((id) =>
      [1, 2].map((t) => JSON.stringify({ unique_id: id, ds: `2024-01-0${t}`, y: t })),
    );
    const path = write(
      `${lines.join('\n')}\n{"unique_id":null,"ds":"2024-01-01","y":1}\n`,
      'i.jsonl',
    );
    const { series, rowsWithoutId } = await read(path);
    expect(series.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    expect(rowsWithoutId).toBe(1);
  });

  test('a word in the last row is the problem of its series', async () => {
    const lines = Array.from({ length: 30_000 }, (_, i) => `s${i % 3},${Math.floor(i / 3)},${i}`);
    const path = write(`unique_id,ds,y\n${lines.join('\n')}\ns2,10000,many\n`);
    const { series } = await read(path);
    expect(series.map(({ problem }) => problem)).toEqual([
      ...[undefined, undefined, 'the value at 10000 is not a finite number'],
    ]);
  });

  test.each([
    ['gz', 'csv.gz', (text: string) => gzipSync(text)],
    ['tsv', 'tsv', (text: string) => text.replaceAll(',', '\t')],
  ])('%s is unpacked', async (_, extension, pack) => {
    const text = 'item_id,timestamp,target\na,2024-01-01,1\na,2024-01-02,2\n';
    expect(shown(await read(write(pack(text), `packed.${extension}`)))).toEqual([
      ['a', ['01-01', '01-02'], [1, 2]],
    ]);
  });

  test('folders such as region=north are a column', async () => {
    for (const region of ['north', 'south']) {
      write('ds,y\n2024-01-01,1\n2024-01-02,2\n', `parts/region=${region}/1.csv`);
    }
    const { series } = await read(join(folder, 'parts/*/*.csv'), { idColumn: 'region' });
    expect(series.map(({ id }) => id)).toEqual(['north', 'south']);
  });

  test('times with a zone are told in UTC, or by the clocks of a place', async () => {
    // Midnights in Berlin on both sides of a change of the clocks.
    const path = write(
      'id,ds,y\na,2024-03-30T00:00:00+01:00,1\na,2024-03-31T00:00:00+01:00,2\na,2024-04-01T00:00:00+02:00,3\n',
    );
    const hours = async (timeZone?: string) =>
      [...(await read(path, { timeZone })).series[0]!.times].map((time) =>
        new Date(time / 1000).toISOString().slice(0, 13),
      );
    expect(await hours()).toEqual(['2024-03-29T23', '2024-03-30T23', '2024-03-31T22']);
    expect(await hours('Europe/Berlin')).toEqual([
      '2024-03-30T00',
      '2024-03-31T00',
      '2024-04-01T00',
    ]);
  });

  test.each([
    ['unique_id,ds,y\n', 'holds no rows'],
    ['unique_id,ds,y\na,2024-01-01,x\na,2024-01-02,z\n', "column 'y' holds words, no numbers"],
  ])('%j is refused', async (text, message) => {
    await expect(read(write(text))).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining(message),
    });
  });
});
