import { describe, expect, test } from 'vitest';
import { columnKinds, guessColumns, readNumber } from './columns.ts';
import { parseCsv } from './csv.ts';
import { seriesOf } from './table-series.ts';

const table = (text: string) => parseCsv('a.csv', text);
const read = (text: string) => {
  const parsed = table(text);
  return seriesOf(parsed, guessColumns(parsed)!);
};

describe('guessColumns', () => {
  test.each([
    ['ds,y\n2024-01-01,1\n2024-01-02,2', { time: 0, value: 1, id: undefined }],
    ['y,ds\n1,2024-01-01\n2,2024-01-02', { time: 1, value: 0, id: undefined }],
    ['unique_id,ds,y\na,2024-01-01,1\na,2024-01-02,2', { time: 1, value: 2, id: 0 }],
    [
      'when,shop,sold\n2024-01-01,n,1\n2024-01-01,s,2\n2024-01-02,n,3\n2024-01-02,s,3',
      { time: 0, value: 2, id: 1 },
    ],
    ['price\n1\n2', { time: undefined, value: 0, id: undefined }],
    ['name,other\na,b', undefined],
  ])('%j', (text, columns) => {
    expect(guessColumns(table(text))).toEqual(columns);
  });

  test('kinds', () => {
    expect(columnKinds(table('a,b,c\n2024-01-01,1.5,word\n2024-01-02,,word'))).toEqual([
      'date',
      'number',
      'text',
    ]);
  });
});

describe('readNumber', () => {
  test.each([
    ['1.5', ',', 1.5],
    ['-2e3', ',', -2000],
    ['1,5', ';', 1.5],
    ['', ',', null],
    ['NaN', ',', null],
    ['abc', ',', undefined],
    ['1,5', ',', undefined],
    ['Infinity', ',', undefined],
  ])('%j with %j is %j', (cell, delimiter, value) => {
    expect(readNumber(cell, delimiter)).toBe(value);
  });
});

describe('seriesOf', () => {
  test('rows are put in the order of time', () => {
    const [series] = read('ds,y\n2024-01-03,3\n2024-01-01,1\n2024-01-02,\n');
    expect(series?.timestamps).toEqual(['2024-01-01', '2024-01-02', '2024-01-03']);
    expect(series?.values).toEqual([1, null, 3]);
    expect(series?.isTime).toBe(true);
    const [first = 0, second = 0] = series?.places ?? [];
    expect(second - first).toBe(86_400);
  });

  test('a long frame is several series', () => {
    const all = read('id,ds,y\na,2024-01-01,1\nb,2024-01-01,5\na,2024-01-02,2\nb,2024-01-02,6\n');
    expect(all.map(({ id, values }) => [id, values])).toEqual([
      ['a', [1, 2]],
      ['b', [5, 6]],
    ]);
  });

  test('without a column of times, rows are counted', () => {
    const [series] = read('price\n4\n5');
    expect(series?.timestamps).toEqual(['1', '2']);
    expect(series?.isTime).toBe(false);
  });

  test.each([
    ['ds,y\n2024-01-01,1\n2024-01-01,2', "series 'y' has two rows at '2024-01-01'"],
    ['ds,y\n2024-01-01,1\n2024-01-02,x1', "row 2: 'x1' in column 'y' is not a number"],
    ['ds,y\n2024-01-01,1\nsoon,2', 'soon'],
  ])('%j is refused', (text, problem) => {
    const parsed = table(text);
    expect(() => seriesOf(parsed, { time: 0, value: 1, id: undefined })).toThrow(problem);
  });
});

test('a time of day in a column of its own belongs to the date', () => {
  const rows = ['2024-01-01,01:00,1', '2024-01-01,02:00,2', '2024-01-02,01:00,3'];
  const [one, another] = read(['date,time,y', ...rows].join('\n'));
  expect(another).toBeUndefined();
  expect(one!.timestamps).toEqual(['2024-01-01 01:00', '2024-01-01 02:00', '2024-01-02 01:00']);
});

test('numbers that could be read in two ways are refused', () => {
  expect(() => read('ds;y\n2024-01-01;1.234\n2024-01-02;1,5\n')).toThrow(
    'decimal points and decimal commas',
  );
  expect(readNumber('0x10', ',')).toBeUndefined();
});
