import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { guessDelimiter, parseCsv } from './csv.ts';

describe('parseCsv', () => {
  test('a header and rows', () => {
    const table = parseCsv('a.csv', 'ds,y\r\n2024-01-01,3\r\n2024-01-02,4\r\n');
    expect(table.names).toEqual(['ds', 'y']);
    expect(table.rows).toEqual([
      ['2024-01-01', '3'],
      ['2024-01-02', '4'],
    ]);
  });

  test('a byte order mark, blank lines and no newline at the end', () => {
    const table = parseCsv('a.csv', '\ufeffy\n\n1\n\n2');
    expect(table.names).toEqual(['y']);
    expect(table.rows).toEqual([['1'], ['2']]);
  });

  test('numbers without a header get names', () => {
    expect(parseCsv('a.csv', '1,2\n3,4').names).toEqual(['column 1', 'column 2']);
  });

  test.each([
    ['a;b\n1,5;2', ';'],
    ['a\tb\n1\t2', '\t'],
    ['a|b\n1|2', '|'],
    ['"a;b",c\n1,2', ','],
    ['single\n1', ','],
  ])('%j is parted by %j', (text, delimiter) => {
    expect(guessDelimiter(text)).toBe(delimiter);
  });

  test.each([
    ['', 'the file is empty'],
    ['ds,y\n', 'there is a header but no row below it'],
    ['a,b\n"1,2', 'a quote is not closed'],
    ['ds,y\n2024-01-01,999\n2024-01-02,1,000', 'row 2 has 3 cells, the first has 2'],
  ])('%j is refused', (text, problem) => {
    expect(() => parseCsv('a.csv', text)).toThrow(`a.csv: ${problem}`);
  });

  const cell = fc.string({ minLength: 1, maxLength: 8 }).map((text) => `x${text.trim()}`);
  property.prop([
    fc.integer({ min: 2, max: 5 }).chain((width) =>
      fc.array(fc.array(cell, { minLength: width, maxLength: width }), {
        minLength: 2,
        maxLength: 6,
      }),
    ),
  ])('quoted cells come back as they were', (rows) => {
    const quoted = rows
      .map((row) => row.map((one) => `"${one.replaceAll('"', '""')}"`).join(','))
      .join('\n');
    const table = parseCsv('a.csv', quoted);
    expect([table.names, ...table.rows]).toEqual(rows);
  });
});
