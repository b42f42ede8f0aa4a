import { statSync } from 'node:fs';
import { TollamaError } from '@tollama/core/errors';

export interface ModelAndFile {
  readonly model: string | undefined;
  /** A path, `-` for stdin, undefined where none was given. */
  readonly input: string | undefined;
}

const isFile = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

/** No name of a model ends like this, and a data file that is missing should be said to be missing. */
const DATA_FILE = /\.(csv|tsv|json|ndjson|jsonl|parquet|arrow|feather|duckdb)(\.gz)?$/i;

const meansFile = (word: string): boolean => DATA_FILE.test(word) || isFile(word);

/**
 * What `compare [models...] [file]` means: the last word is the file where no `--input` is given.
 *
 * @throws INVALID_REQUEST when there is no file
 */
export const modelsAndFile = (
  words: readonly string[],
  input: string | undefined,
): { readonly models: readonly string[]; readonly input: string } => {
  if (input !== undefined) return { models: words, input };
  const last = words.at(-1);
  if (last !== undefined && (last === '-' || meansFile(last))) {
    return { models: words.slice(0, -1), input: last };
  }
  throw new TollamaError('INVALID_REQUEST', 'no series are given', {
    hint: 'name their file last, or with --input; `-` reads from stdin',
  });
};

/**
 * What `run [model] [file]` means: a word alone is the file when it is one or ends like one, else the model.
 *
 * @throws INVALID_REQUEST when both a file and `--input` are given.
 */
export const modelAndFile = (
  first: string | undefined,
  second: string | undefined,
  input: string | undefined,
): ModelAndFile => {
  const isAlone = first !== undefined && second === undefined;
  if (isAlone && input === undefined && meansFile(first)) return { model: undefined, input: first };
  if (second !== undefined && input !== undefined)
    throw new TollamaError('INVALID_REQUEST', `two inputs: '${second}' and --input '${input}'`, {
      hint: 'give the file once',
    });
  return { model: first, input: second ?? input };
};
