import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSeries } from './read-series.ts';
import { bytesOf, type InputFolder, makeInputFolder } from './testing/input-folder.ts';

let files: InputFolder;
beforeAll(async () => {
  files = await makeInputFolder();
});
afterAll(() => files[Symbol.asyncDispose]());

const read: InputFolder['read'] = (name, content, options) => files.read(name, content, options);
const readCsv = (content: string, options?: Parameters<typeof read>[2]) =>
  read('data.csv', content, options);

/** `a: 2024-01-01=1 2024-01-02=2`, one line a series. */
const brief = ({ series }: Awaited<ReturnType<typeof readSeries>>): string[] =>
  series.map(
    ({ id, timestamps, target }) =>
      `${id}: ${timestamps.map((t, i) => `${t}=${target[i]}`).join(' ')}`,
  );

describe('content', () => {
  const chunks = (content: string | Uint8Array) =>
    (async function* () {
      yield bytesOf(content);
    })();

  test('bytes that are in no file have the name that they are given', async () => {
    const content = chunks('ds,sales\n2024-01-01,1\n2024-01-02,2\n');
    expect(brief(await readSeries({ path: 'x.csv', content }))).toEqual([
      'sales: 2024-01-01=1 2024-01-02=2',
    ]);
  });

  test('a few packed bytes may not unpack to more than is allowed', async () => {
    const content = chunks(gzipSync(`y\n${'1\n'.repeat(500_000)}`));
    const read = readSeries({ path: 'x.csv.gz', content, maxBytes: 500_000 });
    await expect(read).rejects.toThrow('x.csv.gz: holds more than 0 MB');
  });
});

describe('frames', () => {
  test('a long frame needs no guessing; series keep their order, rows are sorted by time', async () => {
    const input = await readCsv(
      'unique_id,ds,y\nb,2024-01-02,2\na,2024-01-01,1\nb,2024-01-01,3\na,2024-01-02,4\n',
    );
    expect(brief(input)).toEqual(['b: 2024-01-01=3 2024-01-02=2', 'a: 2024-01-01=1 2024-01-02=4']);
    expect(input.notes).toEqual([]);
    expect(input.series[0]).toMatchObject({ freq: 'auto', covariates: {} });
  });

  test('names of other tools are known', async () => {
    const input = await readCsv(
      'item_id,timestamp,target,promo,kind\nx,2024-01-01,1,0,a\nx,2024-01-02,2,1,\n',
    );
    expect(brief(input)).toEqual(['x: 2024-01-01=1 2024-01-02=2']);
    expect(input.series[0]!.covariates).toEqual({ promo: [0, 1], kind: ['a', null] });
    expect(input.notes).toEqual([
      "time 'timestamp', series by 'item_id', values 'target', covariates 'promo', 'kind'",
    ]);
  });

  test('options name the columns', async () => {
    const content = 'shop,when,items,eur\nx,2024-01-01,1,5\ny,2024-01-01,2,6\n';
    const input = await readCsv(content, {
      idColumn: 'shop',
      timeColumn: 'when',
      targetColumns: ['eur'],
    });
    expect(brief(input)).toEqual(['x: 2024-01-01=5', 'y: 2024-01-01=6']);
    expect(input.series[0]!.covariates).toEqual({ items: [1] });
  });

  test('a wide frame is a series a column; words are left out', async () => {
    const input = await readCsv('Date,CO2,trend,note\n2024-01,1,2,x\n2024-02,3,,y\n');
    expect(brief(input)).toEqual(['CO2: 2024-01=1 2024-02=3', 'trend: 2024-01=2 2024-02=NaN']);
    expect(input.notes).toEqual([
      "time 'Date', 2 series 'CO2', 'trend'",
      "left out: 'note'",
      '1 of 4 values are missing',
    ]);
  });

  test('a column of words that tells repeated times apart is the id', async () => {
    const input = await readCsv(
      'symbol,date,price\nMSFT,Jan 1 2000,39\nMSFT,Feb 1 2000,36\nIBM,Jan 1 2000,100\nIBM,Feb 1 2000,92\n',
    );
    expect(brief(input)).toEqual([
      'MSFT: Jan 1 2000=39 Feb 1 2000=36',
      'IBM: Jan 1 2000=100 Feb 1 2000=92',
    ]);
  });

  test('row numbers and parts of dates are no series', async () => {
    const input = await readCsv(
      ',id,date,year,load\n0,1,2024-01-01,2024,7\n1,2,2024-01-02,2024,8\n2,3,2024-01-03,2024,9\n',
    );
    expect(brief(input)).toEqual(['load: 2024-01-01=7 2024-01-02=8 2024-01-03=9']);
    expect(input.notes).toEqual(["time 'date', values 'load'", "left out: 'id', 'year'"]);
  });

  test.each([
    ['a single column', 'visits\n1\n2\n\n4\n\n', 'visits: 1=1 2=2 3=NaN 4=4'],
    ['numbers alone', '1\n2\n3', 'data: 1=1 2=2 3=3'],
    ['no header', '2024-01-01,5\n2024-01-02,6\n', 'data: 2024-01-01=5 2024-01-02=6'],
    ['years', 'year,temp\n1880,-0.1\n1881,-.2\n1882,1e1\n', 'temp: 1880=-0.1 1881=-0.2 1882=10'],
    ['headerless years', '1880,1.5\n1881,2.5\n1882,3.5\n', 'data: 1880=1.5 1881=2.5 1882=3.5'],
    ['a byte order mark and CRLF', '\ufeffds,y\r\n2024-01-01,1\r\n', 'data: 2024-01-01=1'],
    ['quotes', '"ds","y"\n"2024-01-01","1"\n', 'data: 2024-01-01=1'],
    [
      'semicolons and decimal commas',
      'ds;y\n2024-01-01;1,5\n2024-01-02;-,5\n',
      'data: 2024-01-01=1.5 2024-01-02=-0.5',
    ],
    ['semicolons and decimal points', 'ds;y\n2024-01-01;1.5\n', 'data: 2024-01-01=1.5'],
    ['tabs', 'ds\ty\n2024-01-01\t1,5\n', 'data: 2024-01-01=1.5'],
    ['bars', 'ds|y\n2024-01-01|1\n', 'data: 2024-01-01=1'],
    [
      'missing values',
      'ds,y\n2024-01-01,NA\n2024-01-02,\n2024-01-03,3\n',
      'data: 2024-01-01=NaN 2024-01-02=NaN 2024-01-03=3',
    ],
    ['days before months', 'ds,y\n31.12.2023,1\n01.01.2024,2\n', 'data: 31.12.2023=1 01.01.2024=2'],
    ['counted time', 'unique_id,ds,y\na,10,1\na,9,2\n', 'a: 9=2 10=1'],
  ])('%s', async (_, content, expected) => {
    expect(brief(await readCsv(content))).toEqual([expected]);
  });
});

describe('JSON', () => {
  test.each([
    [
      'rows',
      '[{"ds":"2024-01-02","y":1},{"ds":"2024-01-01","y":null}]',
      ['data: 2024-01-01=NaN 2024-01-02=1'],
    ],
    [
      'columns',
      '{"ds":["2024-01-01","2024-01-02"],"a":[1,2],"b":[3,4]}',
      ['a: 2024-01-01=1 2024-01-02=2', 'b: 2024-01-01=3 2024-01-02=4'],
    ],
    ['numbers', '[1, 2, null, 4]', ['data: 1=1 2=2 3=NaN 4=4']],
    ['pairs', '[["2024-01-01", 1], ["2024-01-02", 2]]', ['data: 2024-01-01=1 2024-01-02=2']],
    ['one series', '{"id":"a","target":[1,2]}', ['a: 1=1 2=2']],
    [
      'series',
      '[{"id":"a","target":[1]},{"id":"b","timestamps":["2024-01-01"],"target":[2]}]',
      ['a: 1=1', 'b: 2024-01-01=2'],
    ],
  ])('%s', async (_, content, expected) => {
    expect(brief(await read('data.json', content))).toEqual(expected);
  });

  test('a forecast request keeps what it says', async () => {
    const input = await read(
      'request.json',
      JSON.stringify({
        model: 'naive',
        horizon: 2,
        series: [
          {
            id: 'a',
            freq: 'D',
            timestamps: ['2024-01-01', '2024-01-02'],
            target: [1, 2],
            past_covariates: { promo: [0, 1] },
            future_covariates: { promo: [1, 1] },
            static_covariates: { region: 'north' },
            actuals: [3, 4],
          },
        ],
      }),
    );
    expect(input).toEqual({
      request: { model: 'naive', horizon: 2 },
      notes: [],
      series: [
        {
          id: 'a',
          freq: 'D',
          timestamps: ['2024-01-01', '2024-01-02'],
          target: [1, 2],
          covariates: { promo: [0, 1] },
          futureCovariates: { promo: [1, 1] },
          staticCovariates: { region: 'north' },
          actuals: [3, 4],
        },
      ],
    });
  });

  test('NDJSON brings rows or series, also under the name .json', async () => {
    const rows = '{"ds":"2024-01-01","y":1}\n\n{"ds":"2024-01-02"}\n';
    expect(brief(await read('data.ndjson', rows))).toEqual(['data: 2024-01-01=1 2024-01-02=NaN']);
    expect(brief(await read('data.json', rows))).toEqual(['data: 2024-01-01=1 2024-01-02=NaN']);
    const series = '{"id":"a","target":[1]}\n{"id":"b","target":[2]}\n';
    expect(brief(await read('data.jsonl', series))).toEqual(['a: 1=1', 'b: 1=2']);
  });
});

/** `ds: 2024-01-01, 2024-01-02; y: 1.5, 2.5`, written by pyarrow 26. */
const PARQUET = {
  snappy:
    'UEFSMRUAFUQVSCwVBBUAFQYVBhwAAAAihAIAAAAEAQoAAAAyMDI0LTAxLTAxCgAAADIwMjQtMDEtMDIVABUsFTAs' +
    'FQQVABUGFQYcAAAAFlQCAAAABAEAAAAAAAD4PwAAAAAAAARAFQQZPDUAGAZzY2hlbWEVBAAVDCUCGAJkcyUATBwA' +
    'AAAVCiUCGAF5ABYEGRwZLCYAHBUMGSUGABkYAmRzFQIWBBZqFm4mCEkcFQAVABUCADwWKBkGGSYABAAAACYAHBUK' +
    'GSUGABkYAXkVAhYEFlIWViZ2SRwVABUAFQIAPCkGGSYABAAAABa8ARYEJggWxAEAKCBwYXJxdWV0LWNwcC1hcnJv' +
    'dyB2ZXJzaW9uIDI2LjAuMRksHAAAHAAAALsAAABQQVIx',
  zstd:
    'UEFSMRUAFUQVSCwVBBUAFQYVBhwAAAAotS/9ICLdAACoAgAAAAQBCgAAADIwMjQtMDEtMDEyAQDimEwVABUsFT4s' +
    'FQQVABUGFQYcAAAAKLUv/SAWsQAAAgAAAAQBAAAAAAAA+D8AAAAAAAAEQBUEGTw1ABgGc2NoZW1hFQQAFQwlAhgC' +
    'ZHMlAEwcAAAAFQolAhgBeQAWBBkcGSwmABwVDBklBgAZGAJkcxUMFgQWahZuJghJHBUAFQAVAgA8FigZBhkmAAQA' +
    'AAAmABwVChklBgAZGAF5FQwWBBZSFmQmdkkcFQAVABUCADwpBhkmAAQAAAAWvAEWBCYIFtIBACggcGFycXVldC1j' +
    'cHAtYXJyb3cgdmVyc2lvbiAyNi4wLjEZLBwAABwAAAC7AAAAUEFSMQ==',
  lz4:
    'UEFSMRUAFUQVPCwVBBUAFQYVBhwAAAD1BQIAAAAEAQoAAAAyMDI0LTAxLTAxDgBQMDEtMDIVABUsFSosFQQVABUG' +
    'FQYcAAAAcQIAAAAEAQABAKD4PwAAAAAAAARAFQQZPDUAGAZzY2hlbWEVBAAVDCUCGAJkcyUATBwAAAAVCiUCGAF5' +
    'ABYEGRwZLCYAHBUMGSUGABkYAmRzFQ4WBBZqFmImCEkcFQAVABUCADwWKBkGGSYABAAAACYAHBUKGSUGABkYAXkV' +
    'DhYEFlIWUCZqSRwVABUAFQIAPCkGGSYABAAAABa8ARYEJggWsgEAKCBwYXJxdWV0LWNwcC1hcnJvdyB2ZXJzaW9u' +
    'IDI2LjAuMRksHAAAHAAAALsAAABQQVIx',
} as const;
const parquet = (codec: keyof typeof PARQUET) => Buffer.from(PARQUET[codec], 'base64');

describe('Parquet', () => {
  test.each(['snappy', 'zstd'] as const)('%s', async (codec) => {
    const input = await read('data.parquet', parquet(codec));
    expect(brief(input)).toEqual(['data: 2024-01-01=1.5 2024-01-02=2.5']);
  });

  test('a codec that is not supported is named', async () => {
    await expect(read('data.parquet', parquet('lz4'))).rejects.toThrow(
      'data.parquet: is compressed with LZ4_RAW, which is not supported',
    );
  });

  test.each([1, 40, 150, 290])('cut off at %i bytes', async (length) => {
    await expect(read('data.parquet', parquet('snappy').subarray(0, length))).rejects.toThrow(
      'data.parquet: cannot be read as Parquet',
    );
  });
});

describe('sources', () => {
  const from = async function* (...chunks: readonly (string | Uint8Array)[]) {
    for (const chunk of chunks) yield bytesOf(chunk);
  };
  const readStdin = (...chunks: readonly (string | Uint8Array)[]) =>
    readSeries({ path: '-', stdin: from(...chunks) });

  test('stdin is known by its content', async () => {
    expect(brief(await readStdin('ds,y\n2024-0', '1-01,1\n'))).toEqual(['series: 2024-01-01=1']);
    expect(brief(await readStdin('[1,', '2]'))).toEqual(['series: 1=1 2=2']);
    expect(
      brief(await readStdin('{"id":"a","target":[1]}\n{"id":"b","target":[2]}\n')),
    ).toHaveLength(2);
    expect(brief(await readStdin(parquet('snappy')))).toEqual([
      'series: 2024-01-01=1.5 2024-01-02=2.5',
    ]);
    expect(brief(await readStdin(gzipSync('1\n2\n')))).toEqual(['series: 1=1 2=2']);
    await expect(readStdin()).rejects.toThrow('stdin: is empty');
  });

  test('a character may be cut between chunks', async () => {
    const bytes = bytesOf('ds,größe\n2024-01-01,1\n');
    expect(brief(await readStdin(bytes.subarray(0, 6), bytes.subarray(6)))).toEqual([
      'größe: 2024-01-01=1',
    ]);
  });

  test('gzip and UTF-16', async () => {
    expect(brief(await read('data.csv.gz', gzipSync('ds,y\n2024-01-01,1\n')))).toEqual([
      'data: 2024-01-01=1',
    ]);
    const utf16 = Buffer.concat([
      Buffer.from([0xff, 0xfe]),
      Buffer.from('ds\ty\n2024-01-01\t1\n', 'utf16le'),
    ]);
    expect(brief(await read('data.txt', utf16))).toEqual(['data: 2024-01-01=1']);
    const cut = gzipSync('ds,y\n2024-01-01,1\n').subarray(0, 25);
    await expect(read('cut.csv.gz', cut)).rejects.toThrow(
      'cut.csv.gz: the gzip data are damaged or cut off',
    );
  });
});
