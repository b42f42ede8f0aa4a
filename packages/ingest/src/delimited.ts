/** CSV and its kin: `,` `;` tab `|`, quotes, decimal commas. */

import type { CsvError } from 'csv-parse';
import { type ByteSource, decodeText } from './byte-source.ts';
import { type Row, refuseInput, type Table } from './table.ts';

/** In the order of trust: a comma may also be a decimal one. */
const DELIMITERS = ['\t', ';', '|', ','] as const;
const DELIMITER_NAMES: Readonly<Record<string, string>> = { '\t': 'tabs' };
const LINES_LOOKED_AT = 50;
const BATCH_SIZE = 2000;

const countOutsideQuotes = (line: string, delimiter: string): number => {
  let count = 0;
  let isQuoted = false;
  for (const character of line) {
    if (character === '"') isQuoted = !isQuoted;
    else if (character === delimiter && !isQuoted) count++;
  }
  return count;
};

/** How many of the lines have the most common number of delimiters, none not counting; 0 to 1. */
const consistency = (lines: readonly string[], delimiter: string): number => {
  const counts = new Map<number, number>();
  for (const line of lines) {
    const count = countOutsideQuotes(line, delimiter);
    counts.set(count, (counts.get(count) ?? 0) + 1);
  }
  counts.delete(0);
  return Math.max(0, ...counts.values()) / Math.max(1, lines.length);
};

/** The delimiter that parts the first lines most evenly; a comma where nothing parts them. */
export const guessDelimiter = (head: string): string => {
  const lines = head.split(/\r\n|\n|\r/);
  // The last line may be cut off.
  const whole = lines.length > 1 ? lines.slice(0, -1) : lines;
  const looked = whole.filter((line) => line.trim() !== '').slice(0, LINES_LOOKED_AT);
  const scored = DELIMITERS.map((delimiter) => ({
    delimiter,
    score: consistency(looked, delimiter),
  }));
  const best = scored.reduce((a, b) => (b.score > a.score ? b : a));
  return best.score > 0 ? best.delimiter : ',';
};

const refuseCsv = (file: string, error: CsvError): never => {
  const line = typeof error.lines === 'number' ? `line ${error.lines}: ` : '';
  const isQuote = error.code.includes('QUOTE');
  const problem = isQuote ? 'a quote is not closed or stands inside a cell' : error.message;
  return refuseInput(file, line + problem, {
    hint: isQuote
      ? 'put whole cells in quotes and write a quote inside as ""'
      : 'check that the file is CSV',
    cause: error,
  });
};

/** Rows with content. In a file of one column an empty line between others is a missing value. */
const readRows = async function* (
  source: ByteSource,
  delimiter: string,
): AsyncGenerator<readonly Row[]> {
  const { CsvError, parse } = await import('csv-parse');
  const { Readable } = await import('node:stream');
  const parser = parse({ delimiter, relax_column_count: true, max_record_size: 1 << 24 });
  const input = Readable.from(decodeText(source));
  input.on('error', (error) => parser.destroy(error));
  let batch: Row[] = [];
  let number = 0;
  let empty: number[] = [];
  /** Rows of delimiters alone: spreadsheets write them at the end, where they mean nothing. */
  let blank: Row[] = [];
  try {
    for await (const cells of input.pipe(parser) as AsyncIterable<string[]>) {
      number++;
      if (cells.length === 1 && cells[0]!.trim() === '') {
        empty.push(number);
        continue;
      }
      if (empty.length > 0) {
        if (cells.length === 1 && number > empty.length + 1) {
          for (const row of empty) batch.push({ number: row, cells: [null] });
        }
        empty = [];
      }
      if (cells.length > 1 && cells.every((cell) => cell.trim() === '')) {
        blank.push({ number, cells });
        continue;
      }
      if (blank.length > 0) {
        batch.push(...blank);
        blank = [];
      }
      batch.push({ number, cells });
      if (batch.length >= BATCH_SIZE) {
        yield batch;
        batch = [];
      }
    }
  } catch (error) {
    if (error instanceof CsvError) refuseCsv(source.file, error);
    throw error;
  } finally {
    input.destroy();
    parser.destroy();
  }
  if (batch.length > 0) yield batch;
};

/** Opens a delimited file; `delimiter` is guessed from the first lines when absent. */
export const openDelimited = (source: ByteSource, delimiter?: string): Table => {
  const head = new TextDecoder(source.head[0] === 0xff ? 'utf-16le' : 'utf-8').decode(source.head);
  const used = delimiter ?? guessDelimiter(head);
  return {
    file: source.file,
    format: used === ',' ? 'CSV' : `CSV with ${DELIMITER_NAMES[used] ?? `'${used}'`}`,
    columns: undefined,
    batches: readRows(source, used),
    allowsDecimalComma: used !== ',',
  };
};
