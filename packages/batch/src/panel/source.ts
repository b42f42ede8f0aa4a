/** Which table the inputs are: Parquet, CSV or JSON, by their names; several files and globs are one table. */
import { extname } from 'node:path';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { type DuckDb, quoteText } from './duckdb.ts';

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
const REMOTE = /^(s3|s3a|gs|gcs|r2|https?|hf):\/\//i;

const readerOf = (input: string): string => {
  const name = input.replace(/\?.*$/, '').replace(COMPRESSED, '');
  const reader = READERS[extname(name).toLowerCase()];
  if (reader) return reader;
  throw new TollamaError('INVALID_REQUEST', `${input}: unknown kind of file`, {
    hint: `use names that end in ${Object.keys(READERS).join(', ')}; globs too, such as 'panel/*.parquet'`,
  });
};

export const isRemote = (input: string): boolean => REMOTE.test(input);

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
  return `${reader}([${inputs.map(quoteText).join(', ')}], union_by_name = true)`;
};

/** Credentials of S3 as the usual variables of the environment give them. */
const secretOf = (env: Readonly<Record<string, string | undefined>>): string | undefined => {
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: key, AWS_SESSION_TOKEN: token } = env;
  if (!id || !key) return undefined;
  const endpoint = env.AWS_ENDPOINT_URL_S3 ?? env.AWS_ENDPOINT_URL;
  const region = env.AWS_REGION ?? env.AWS_DEFAULT_REGION;
  const parts = [
    'TYPE s3',
    `KEY_ID ${quoteText(id)}`,
    `SECRET ${quoteText(key)}`,
    ...(token ? [`SESSION_TOKEN ${quoteText(token)}`] : []),
    ...(region ? [`REGION ${quoteText(region)}`] : []),
    ...(endpoint
      ? [
          `ENDPOINT ${quoteText(endpoint.replace(/^https?:\/\//, ''))}`,
          `USE_SSL ${!endpoint.startsWith('http://')}`,
          "URL_STYLE 'path'",
        ]
      : []),
  ];
  return `CREATE SECRET (${parts.join(', ')})`;
};

/**
 * Makes remote inputs readable.
 *
 * @throws TollamaError DEPENDENCY_MISSING when DuckDB's extension for it is not there and cannot be had
 */
export const prepareRemote = async (
  { connection }: DuckDb,
  inputs: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> => {
  if (!inputs.some(isRemote)) return;
  try {
    await connection.run('INSTALL httpfs');
    await connection.run('LOAD httpfs');
  } catch (cause) {
    throw new TollamaError(
      'DEPENDENCY_MISSING',
      `remote panels need DuckDB's extension httpfs: ${errorMessage(cause)}`,
      { hint: 'let this machine reach extensions.duckdb.org once, or copy the files here', cause },
    );
  }
  const secret = secretOf(env);
  if (secret) await connection.run(secret);
};
