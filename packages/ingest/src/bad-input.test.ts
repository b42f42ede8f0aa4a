import { join } from 'node:path';
import { TollamaError } from '@tollama/core/errors';
import fc from 'fast-check';
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

describe('bad input is named', () => {
  test.each([
    ['data.csv', '', 'is empty', 'the file needs'],
    ['data.csv', '\n \n', 'holds no rows', 'the file needs'],
    ['data.csv', 'ds,y\n', 'has a header and no rows', 'the file needs'],
    [
      'data.csv',
      'ds,y\n2024-01-01,1\n2024-01-02,abc\n',
      "row 3, column 'y': 'abc' is not a number",
      'leave the cell empty',
    ],
    [
      'data.csv',
      'ds,y\n2024-01-01,"1,234"\n',
      "row 2, column 'y': '1,234' has thousands separators",
      'for instance 1234.5',
    ],
    [
      'data.csv',
      'ds;y\n2024-01-01;1.234,5\n',
      "row 2, column 'y': '1.234,5' has thousands separators",
      'for instance 1234.5',
    ],
    [
      'data.csv',
      'ds;y\n2024-01-01;1,5\n2024-01-02;2.5\n',
      "row 3, column 'y': '2.5' is ambiguous",
      'decimal point',
    ],
    [
      'data.csv',
      'ds,y\n2024-01-01,1\n2024-01-02,12 %\n',
      "row 3, column 'y': '12 %' is not a number",
      'without units',
    ],
    [
      'data.csv',
      'ds,y\n2024-01-01,1\n2024-01-02,inf\n',
      "row 3, column 'y': 'inf' is not finite",
      'leave the cell empty',
    ],
    [
      'data.csv',
      'ds,y\n2024-01-01,1e999\n',
      "row 2, column 'y': '1e999' is not finite",
      'leave the cell empty',
    ],
    [
      'data.csv',
      'ds,y\n2024-01-01,1\n2024-01-02,0x10\n',
      "row 3, column 'y': '0x10' is not a number",
      'leave',
    ],
    [
      'data.csv',
      'ds,y\n2024-01-01,1\n2024-01-01,2\n',
      "row 3: '2024-01-01' stands in row 2 already",
      '--id-col',
    ],
    [
      'data.csv',
      'unique_id,ds,y\na,2024-01-02,1\na,2024-01-01,1\na,2024-01-02,2\n',
      "row 4: '2024-01-02' stands in row 2 already for series 'a'",
      '--id-col',
    ],
    [
      'data.csv',
      'ds,y\n2024-01-01,1\n2024-13-01,2\n',
      "row 3: timestamp '2024-13-01' names a day or an hour that does not exist",
      '--time-col',
    ],
    [
      'data.csv',
      'ds,y\n2024-01-01,1\n,2\n',
      "row 3: the timestamp in column 'ds' is missing",
      'fill it in',
    ],
    [
      'data.csv',
      'unique_id,ds,y\na,2024-01-01,1\n,2024-01-02,2\n',
      "row 3: the id in column 'unique_id' is missing",
      'fill it in',
    ],
    [
      'data.csv',
      'ds,y\n2024-01-01,1\n2024-01-02\n',
      'row 3 has 1 cell, the first row has 2',
      'in quotes',
    ],
    ['data.csv', 'ds,y\n2024-01-01,1,2\n', 'row 2 has 3 cells, the first row has 2', 'in quotes'],
    ['data.csv', 'ds,y\n2024-01-01,"1\n', 'a quote is not closed', 'put whole cells in quotes'],
    [
      'data.csv',
      'ds,y,y\n2024-01-01,1,2\n',
      "column 'y' stands in the header twice",
      'its own name',
    ],
    [
      'data.csv',
      'a,b\nx,z\n',
      'no column of numbers to forecast among a (text), b (text)',
      '--target-col',
    ],
    ['data.csv', 'ds,y\n2024-01-01,NA\n2024-01-02,\n', 'all values are missing', '--target-col'],
    [
      'data.csv',
      'id,2024-01-01,2024-01-02\na,1,2\n',
      "the columns '2024-01-01', '2024-01-02' are times",
      'turn the table round',
    ],
    [
      'data.csv',
      'shop,2019,2020,2021\na,1,2,3\n',
      "the columns '2019', '2020' and 1 more are times",
      'turn the table round',
    ],
    [
      'data.csv',
      'Just a letter\nto a friend\n',
      'no column of numbers to forecast',
      '--target-col',
    ],
    [
      'data.csv',
      new Uint8Array([0x89, 0x50, 0, 0x1a, 0]),
      'holds binary data, not text',
      '.parquet',
    ],
    ['data.csv', new Uint8Array([0x64, 0xe9, 0x0a, 0x31]), 'is not UTF-8 text', 'iconv'],
    ['data.xlsx', 'x', 'the extension .xlsx is not known', 'save the sheet as CSV'],
    ['data.jsno', '[1]', 'the extension .jsno is not known', 'did you mean .json?'],
    ['data.json', '[1, NaN]', 'is not valid JSON', 'write null for a missing value'],
    ['data.json', '{"ds": [', 'is not valid JSON', 'array of rows'],
    ['data.json', '"text"', "'text' is no series", 'array of rows'],
    ['data.json', '[]', 'the array is empty', 'array of rows'],
    ['data.json', '{}', 'the object is empty', 'array of rows'],
    ['data.json', '{"a": 1}', "field 'a' is '1', not a column", 'array of rows'],
    [
      'data.json',
      '{"ds": ["2024"], "y": [1, 2]}',
      "column 'y' has 2 values, 'ds' has 1",
      'same length',
    ],
    [
      'data.json',
      '[{"y": 1}, 2]',
      "element 2 ('2') is of another kind than the first",
      'array of rows',
    ],
    ['data.json', '[1, true]', "row 2, column 'value': 'true' is not a number", 'leave'],
    ['data.json', '{"series": []}', 'series is empty', 'array of rows'],
    [
      'data.json',
      '{"series": [{"id": "a", "target": [1, "x"]}]}',
      "series[0] (a): target[1] 'x' is not a number",
      'null',
    ],
    [
      'data.json',
      '{"series": [{"id": "a", "target": []}]}',
      'series[0] (a): target is empty',
      'at least one value',
    ],
    [
      'data.json',
      '{"series": [{"id": "a"}]}',
      "series[0] (a): target is 'undefined', not an array",
      '[...]',
    ],
    [
      'data.json',
      '{"series": [{"id": "a", "target": [1], "tagret": 1}]}',
      "series[0] (a): field 'tagret' is not known",
      'fields are',
    ],
    [
      'data.json',
      '{"series": [{"id": "a", "timestamps": ["2024"], "target": [1, 2]}]}',
      'timestamps has 1 values, target has 2',
      'each value',
    ],
    [
      'data.json',
      '{"series": [{"id": "a", "target": [1]}, {"id": "a", "target": [2]}]}',
      "series id 'a' is used twice",
      'its own id',
    ],
    ['data.ndjson', '{"ds": "2024", "y": 1}\n{"ds": \n', 'line 2 is not valid JSON', ''],
    [
      'data.ndjson',
      '{"ds": "2024", "y": 1}\n3\n',
      "line 2: '3' is not an object",
      'one object a line',
    ],
  ])('%s %j: %s', async (name, content, message, hint) => {
    const reading = read(name, content);
    await expect(reading).rejects.toBeInstanceOf(TollamaError);
    await expect(reading).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining(`${name}: `),
      hint: expect.stringContaining(hint),
    });
    await expect(reading).rejects.toThrow(message);
  });

  test('a column that does not exist, with the closest name', async () => {
    const content = 'date,vlaue\n2024-01-01,1\n';
    await expect(readCsv(content, { targetColumns: ['value'] })).rejects.toMatchObject({
      message: expect.stringContaining("--target-col: there is no column 'value'"),
      hint: "did you mean 'vlaue'? columns are date, vlaue",
    });
  });

  test('a missing file and a folder', async () => {
    await expect(readSeries({ path: join(files.path, 'nope.csv') })).rejects.toThrow(
      'nope.csv: there is no such file',
    );
    await expect(readSeries({ path: files.path })).rejects.toThrow(
      `${files.path}: is a folder, not a file`,
    );
  });

  test('whatever stands in a file: series, or INVALID_INPUT', async () => {
    const bytes = fc.oneof(
      fc.string({ unit: fc.constantFrom(...'ab1290-:.,;|\t"\n T{}[]'), maxLength: 80 }),
      fc.uint8Array({ maxLength: 60 }),
    );
    const from = async function* (content: string | Uint8Array) {
      yield bytesOf(content);
    };
    await fc.assert(
      fc.asyncProperty(
        bytes,
        fc.constantFrom('csv', 'json', 'ndjson', 'parquet', undefined),
        async (content, format) => {
          try {
            const { series } = await readSeries({ path: '-', stdin: from(content), format });
            for (const one of series) expect(one.timestamps).toHaveLength(one.target.length);
          } catch (error) {
            expect(error).toMatchObject({ code: 'INVALID_INPUT' });
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
