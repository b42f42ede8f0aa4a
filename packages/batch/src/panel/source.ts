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
const COMPRESSED = /\.(gz|zst)$/i;

const readerOf = (input: string): string => {
  const name = input.replace(COMPRESSED, '');
  const reader = READERS[extname(name).toLowerCase()];
  if (reader) return reader;
  const isArrow = /\.(arrows?|feather|ipc)$/i.test(name);
  throw new TollamaError('INVALID_REQUEST', `${input}: unknown kind of file`, {
    hint: isArrow
      ? 'write it as Parquet, for instance with pyarrow.parquet.write_table; `tollama run` reads Arrow'
      : `use names that end in ${Object.keys(READERS).join(', ')}; globs too, such as 'panel/*.parquet'`,
  });
};

/** A table function of DuckDB over all inputs. */
export const tableOf = (inputs: readonly string[]): string => {
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
  const [reader] = readers;
  // Types of texts are those of all rows: a word in the last one must not end the run.
  const whole = reader === 'read_parquet' ? '' : ', sample_size = -1';
  return `${reader}([${inputs.map(quoteText).join(', ')}], union_by_name = true${whole})`;
};
