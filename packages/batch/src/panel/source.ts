/** Which table the inputs are: Parquet, CSV or JSON, by their names; several files and globs are one table. */
import { extname } from 'node:path';
import { TollamaError } from '@tollama/core/errors';
import { quoteText } from './duckdb.ts';

const READERS: Readonly<Record<string, string>> = {
  '.parquet': 'read_parquet',
  '.pq': 'read_parquet',
  '.csv': 'read_csv',
  '.tsv': 'read_csv',
  '.txt': 'read_csv',
  '.json': 'read_json',
  '.ndjson': 'read_json',
  '.jsonl': 'read_json',
};
/** Read batch by batch and written as Parquet beside the run before DuckDB sees them. */
const ARROW_FILE = /\.(arrows?|feather|ipc)(\.gz)?$/i;
const COMPRESSED = /\.(gz|zst)$/i;

export const isArrowFile = (input: string): boolean => ARROW_FILE.test(input);

/** Whether columns that are not asked for are not read, so that some at a time cost no more than all at once. */
export const readsByColumn = (table: string): boolean => table.startsWith('read_parquet(');

const readerOf = (input: string): string => {
  const name = input.replace(COMPRESSED, '');
  const reader = isArrowFile(input) ? 'arrow' : READERS[extname(name).toLowerCase()];
  if (reader) return reader;
  throw new TollamaError('INVALID_REQUEST', `${input}: unknown kind of file`, {
    hint: `use names that end in ${[...Object.keys(READERS), '.arrow', '.feather'].join(', ')}; globs too, such as 'panel/*.parquet'`,
  });
};

/**
 * Looks at the names alone.
 *
 * @throws TollamaError INVALID_REQUEST for kinds that are not known, and for several
 */
export const checkKinds = (inputs: readonly string[]): void => {
  const readers = new Set(inputs.map(readerOf));
  if (readers.size !== 1) {
    throw new TollamaError(
      'INVALID_REQUEST',
      `inputs of ${readers.size} kinds cannot be one panel`,
      {
        hint: 'give files of one kind',
      },
    );
  }
};

/** A table function of DuckDB over all inputs, which are of one kind and not Arrow. */
export const tableOf = (inputs: readonly string[]): string => {
  checkKinds(inputs);
  const reader = readerOf(inputs[0]!);
  // Types of texts are those of all rows: a word in the last one must not end the run.
  const whole = reader === 'read_parquet' ? '' : ', sample_size = -1';
  return `${reader}([${inputs.map(quoteText).join(', ')}], union_by_name = true${whole})`;
};
