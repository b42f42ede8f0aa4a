/** Reads delimited text (RFC 4180 with the delimiters that tools write) in the browser. */
import { TollamaError } from '@tollama/core/errors';
import { joinClock } from './clock-column.ts';

export interface Table {
  /** The name of the file, for messages. */
  readonly file: string;
  readonly delimiter: string;
  readonly names: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const DELIMITERS = [',', ';', '\t', '|'] as const;
const LINES_LOOKED_AT = 20;

const refuse = (file: string, problem: string, hint: string): never => {
  throw new TollamaError('INVALID_INPUT', `${file}: ${problem}`, { hint });
};

const countOutsideQuotes = (line: string, delimiter: string): number =>
  line.replace(/"(?:[^"]|"")*"/g, '').split(delimiter).length - 1;

/** The delimiter that parts the first lines most evenly; a comma where nothing parts them. */
export const guessDelimiter = (text: string): string => {
  const lines = text
    .slice(0, 65_536)
    .split(/\r\n|\n|\r/)
    .filter((line) => line.trim() !== '')
    .slice(0, LINES_LOOKED_AT);
  const score = (delimiter: string): number => {
    const counts = lines.map((line) => countOutsideQuotes(line, delimiter));
    const [first = 0] = counts;
    return first === 0 ? 0 : counts.filter((count) => count === first).length / lines.length;
  };
  const [best] = DELIMITERS.map((delimiter) => ({ delimiter, score: score(delimiter) })).toSorted(
    (a, b) => b.score - a.score,
  );
  return best && best.score > 0 ? best.delimiter : ',';
};

/** A quoted cell that begins at `start`: its text, and the place after its closing quote. */
const readQuoted = (file: string, text: string, start: number): { cell: string; end: number } => {
  for (let from = start + 1; ; ) {
    const quote = text.indexOf('"', from);
    if (quote < 0) {
      refuse(file, 'a quote is not closed', 'write a quote inside of a quoted cell as ""');
    }
    if (text[quote + 1] !== '"') {
      return { cell: text.slice(start + 1, quote).replaceAll('""', '"'), end: quote + 1 };
    }
    from = quote + 2;
  }
};

/** All rows of cells, the header too; lines without any text are left out. */
const readRows = (file: string, text: string, delimiter: string): string[][] => {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  const endOfCell = new RegExp(`[\\r\\n${delimiter === '|' ? '\\|' : delimiter}]`, 'g');
  while (at <= text.length) {
    let cell: string;
    if (text[at] === '"') ({ cell, end: at } = readQuoted(file, text, at));
    else cell = '';
    endOfCell.lastIndex = at;
    const stop = endOfCell.exec(text)?.index ?? text.length;
    cell += text.slice(at, stop);
    row.push(cell.trim());
    if (text[stop] === delimiter) {
      at = stop + 1;
      continue;
    }
    if (row.some((one) => one !== '')) rows.push(row);
    row = [];
    at = stop + (text.startsWith('\r\n', stop) ? 2 : 1);
  }
  return rows;
};

const NUMBER_LIKE = /^[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:e[+-]?\d+)?$/i;

/** A first row of numbers only is data: the columns have no names then. */
const isHeader = (row: readonly string[]): boolean => !row.some((cell) => NUMBER_LIKE.test(cell));

/** A number with a comma for thousands would be two cells, and the first of them a wrong number. */
const checkWidths = (file: string, width: number, rows: readonly (readonly string[])[]): void => {
  const wide = rows.findIndex((row) => row.slice(width).some((cell) => cell !== ''));
  if (wide < 0) return;
  refuse(
    file,
    `row ${wide + 1} has ${rows[wide]!.length} cells, the first has ${width}`,
    'put cells that hold the delimiter in quotes, and write numbers without thousands separators',
  );
};

/**
 * @throws TollamaError INVALID_INPUT for text without rows, and for a quote that is not closed
 * @example
 * parseCsv('sales.csv', 'ds,y\n2024-01-01,3').names; // ['ds', 'y']
 */
export const parseCsv = (file: string, source: string): Table => {
  const text = source.replace(/^\ufeff/, '');
  const delimiter = guessDelimiter(text);
  const [first, ...rest] = readRows(file, text, delimiter);
  if (!first)
    return refuse(file, 'the file is empty', 'choose a CSV file with a row for each time');
  const hasHeader = isHeader(first);
  const rows = hasHeader ? rest : [first, ...rest];
  if (rows.length === 0) {
    refuse(file, 'there is a header but no row below it', 'choose a file with a row for each time');
  }
  checkWidths(file, first.length, rows);
  const names = Array.from(
    { length: first.length },
    (_, i) => (hasHeader ? first[i] : undefined) || `column ${i + 1}`,
  );
  return joinClock({ file, delimiter, names, rows });
};
