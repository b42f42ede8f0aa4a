/** Which format a file has: by its extension, or by its first bytes where it has none. */

import { basename } from 'node:path';
import { didYouMean } from '@tollama/core/did-you-mean';
import type { ByteSource } from './byte-source.ts';
import { refuseInput } from './table.ts';

export const INPUT_FORMATS = ['csv', 'json', 'ndjson', 'parquet', 'arrow', 'duckdb'] as const;
export type InputFormat = (typeof INPUT_FORMATS)[number];

const EXTENSIONS: Readonly<Record<string, InputFormat>> = {
  ...{ csv: 'csv', tsv: 'csv', tab: 'csv', psv: 'csv', txt: 'csv', dat: 'csv' },
  ...{ json: 'json', ndjson: 'ndjson', jsonl: 'ndjson', parquet: 'parquet', pq: 'parquet' },
  ...{ arrow: 'arrow', arrows: 'arrow', feather: 'arrow', ipc: 'arrow' },
  ...{ duckdb: 'duckdb', ddb: 'duckdb' },
};

const SPREADSHEETS = /^(?:xlsx?|xlsm|ods|numbers)$/;
const REMEDY =
  'give CSV (.csv, .tsv, .txt), JSON (.json), NDJSON (.ndjson, .jsonl), Parquet (.parquet), Arrow (.arrow, .feather) or DuckDB (.duckdb); .gz may follow';

const latin = (head: Uint8Array, from: number, to: number): string =>
  Buffer.from(head.subarray(from, to)).toString('latin1');

/** Formats that tell themselves by their first bytes. */
const binaryFormat = (head: Uint8Array): InputFormat | undefined => {
  if (latin(head, 0, 4) === 'PAR1') return 'parquet';
  if (latin(head, 0, 6) === 'ARROW1' || latin(head, 0, 4) === 'FEA1') return 'arrow';
  if (latin(head, 0, 4) === '\xff\xff\xff\xff') return 'arrow';
  return latin(head, 8, 12) === 'DUCK' ? 'duckdb' : undefined;
};

/** JSON texts of several lines that each are whole are NDJSON. */
const fromContent = (head: Uint8Array): InputFormat => {
  const binary = binaryFormat(head);
  if (binary) return binary;
  const text = new TextDecoder().decode(head).trimStart();
  if (!/^[[{]/.test(text)) return 'csv';
  const [first = '', ...rest] = text.split(/\r?\n/);
  if (!rest.some((line) => line.trim() !== '')) return 'json';
  try {
    JSON.parse(first);
    return 'ndjson';
  } catch {
    return 'json';
  }
};

/**
 * The format of a source.
 *
 * @throws TollamaError INVALID_INPUT for an extension that is not known, or one that the content belies
 */
export const formatOf = ({ file, head }: ByteSource, given?: InputFormat): InputFormat => {
  if (given) return given;
  const name = basename(file).replace(/\.gz$/i, '');
  const extension = /[^.]\.([A-Za-z][A-Za-z0-9]*)$/.exec(name)?.[1]?.toLowerCase();
  if (extension === undefined || file === 'stdin') return fromContent(head);
  const binary = binaryFormat(head);
  if (binary) return binary;
  const format = Object.hasOwn(EXTENSIONS, extension) ? EXTENSIONS[extension]! : undefined;
  if (format === undefined) {
    const closest = didYouMean(extension, Object.keys(EXTENSIONS));
    return refuseInput(file, `the extension .${extension} is not known`, {
      hint: SPREADSHEETS.test(extension)
        ? 'save the sheet as CSV'
        : `${closest ? `did you mean .${closest}? ` : ''}${REMEDY}`,
    });
  }
  if (format === 'json') return fromContent(head) === 'ndjson' ? 'ndjson' : 'json';
  return format;
};
