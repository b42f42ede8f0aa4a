/**
 * GIFT-Eval's own storage: a folder for each data set as `save_to_disk` of Hugging Face datasets writes it, with
 * Arrow streams (data-*.arrow), state.json and dataset_info.json. Rows are item_id, start, freq and target, one list
 * of values or one for each variate.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { type Arrow, loadArrow, readArrowBatches } from '@tollama/ingest/arrow';
import { isoOfMilliseconds } from '@tollama/ingest/iso-time';
import type { RecordBatch, Vector } from 'apache-arrow';
import { z } from 'zod';
import type { ConfigurationSource, DataFile } from './configuration-source.ts';
import { GIFT_EVAL_CONFIGURATIONS } from './data-sets.ts';
import { type StoredSeries, toUnivariate } from './instances.ts';

const refuse = (path: string, problem: string, hint: string): never => {
  throw new TollamaError('INVALID_INPUT', `${path}: ${problem}`, { hint });
};

const ROWS = 'a row has item_id, start, freq and target';

const State = z.object({
  _data_files: z.array(z.object({ filename: z.string().min(1) })),
  _indices_files: z.array(z.unknown()).nullish(),
});

const isArrow = (name: string): boolean => name.endsWith('.arrow');

/** The Arrow files of a folder in the order of its rows. */
const arrowFiles = async (folder: string): Promise<string[]> => {
  const names = await readdir(folder);
  if (!names.includes('state.json')) return names.filter(isArrow).toSorted();
  const path = join(folder, 'state.json');
  let state: unknown;
  try {
    state = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    return refuse(path, `is not valid JSON: ${errorMessage(cause)}`, 'save the data set again');
  }
  const parsed = State.safeParse(state);
  if (!parsed.success) return refuse(path, 'lists no data files', 'save the data set again');
  if (parsed.data._indices_files?.length) {
    return refuse(path, 'chooses rows by an index', 'save it after `flatten_indices()`');
  }
  return parsed.data._data_files.map(({ filename }) => filename);
};

/** Values of a list column's entry, NaN where missing. */
const valuesOf = (list: Vector): Float64Array => {
  if (list.nullCount === 0) return Float64Array.from(list.toArray() as ArrayLike<number>, Number);
  return Float64Array.from({ length: list.length }, (_, i) => {
    const value: unknown = list.get(i);
    return value === null || value === undefined ? Number.NaN : Number(value);
  });
};

const targetOf = (
  { DataType: types }: Arrow,
  target: Vector,
): Float64Array | readonly Float64Array[] =>
  types.isList(target.type) || types.isFixedSizeList(target.type)
    ? Array.from({ length: target.length }, (_, d) => valuesOf(target.get(d) as Vector))
    : valuesOf(target);

const startOf = (value: unknown): string =>
  typeof value === 'number' || typeof value === 'bigint'
    ? isoOfMilliseconds(Number(value))
    : String(value ?? '');

const seriesOf = (arrow: Arrow, batch: RecordBatch, path: string): StoredSeries[] => {
  const names = batch.schema.fields.map(({ name }) => name);
  const column = (name: string): Vector | null =>
    batch.getChildAt(names.indexOf(name)) as Vector | null;
  const target = column('target');
  if (!target) return refuse(path, `has the columns ${names.join(', ')}, no target`, ROWS);
  const [id, start, freq] = [column('item_id'), column('start'), column('freq')];
  return Array.from({ length: batch.numRows }, (_, i) => {
    const values: unknown = target.get(i);
    if (values === null) return refuse(path, `row ${i + 1} has no target`, ROWS);
    return {
      id: String(id?.get(i) ?? i),
      start: startOf(start?.get(i)),
      freq: String(freq?.get(i) ?? ''),
      target: targetOf(arrow, values as Vector),
    };
  });
};

/** A file's chunks, which the digest sees on their way. */
const hashed = async function* (path: string, digest: ReturnType<typeof createHash>) {
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    digest.update(chunk as Buffer);
    yield chunk as Uint8Array;
  }
};

/**
 * Reads a data set's folder; series of several variates become one for each.
 *
 * @throws TollamaError INVALID_INPUT for a folder that is no such data set, DEPENDENCY_MISSING
 */
export const readArrowStore = async (folder: string): Promise<DataFile> => {
  const arrow = await loadArrow();
  const digest = createHash('sha256');
  const stored: StoredSeries[] = [];
  for (const name of await arrowFiles(folder)) {
    const path = join(folder, name);
    const source = { file: path, chunks: hashed(path, digest) };
    for await (const batch of readArrowBatches(arrow, source)) {
      for (const one of seriesOf(arrow, batch, path)) stored.push(one);
    }
  }
  if (stored.length === 0) return refuse(folder, 'holds no series', ROWS);
  return { series: toUnivariate(stored), digest: digest.digest('hex') };
};

/** Whether a folder holds a data set of Arrow files. */
export const isArrowStore = async (folder: string): Promise<boolean> => {
  const found = await stat(folder).catch(() => undefined);
  return found?.isDirectory() === true && (await readdir(folder)).some(isArrow);
};

/** The benchmark's configurations whose data sets lie below a folder, in the benchmark's order. */
export const storedConfigurations = async (folder: string): Promise<ConfigurationSource[]> => {
  const stores = new Set(GIFT_EVAL_CONFIGURATIONS.map(({ store }) => store));
  const present = new Set<string>();
  for (const store of stores) {
    if (await isArrowStore(join(folder, store))) present.add(store);
  }
  return GIFT_EVAL_CONFIGURATIONS.filter(({ store }) => present.has(store)).map(
    ({ name, store, term }) => ({ name, file: store, term }),
  );
};
