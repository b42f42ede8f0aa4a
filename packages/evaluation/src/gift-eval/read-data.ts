/**
 * Folders of evaluation data: a configs.json and one CSV of whole series, or one folder of Arrow files, for each data
 * set; or GIFT-Eval's own folders alone.
 */
import { createHash } from 'node:crypto';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { isArrowStore, readArrowStore, storedConfigurations } from './arrow-store.ts';
import {
  ConfigurationFile,
  type ConfigurationSource,
  type DataFile,
} from './configuration-source.ts';
import { findConfiguration, TERMS, type Term } from './data-sets.ts';
import { type DataSeries, shortestLength, withOwnIds } from './instances.ts';
import { predictionLength, seasonality, windowCount } from './protocol.ts';

/** One configuration, ready to be forecast. */
export interface Configuration {
  readonly name: string;
  readonly freq: string;
  readonly horizon: number;
  readonly windows: number;
  readonly season: number;
  readonly domain: string;
  readonly variates: number;
  readonly series: readonly DataSeries[];
  /** sha256 of the data file. */
  readonly digest: string;
  /** Published scores of the baseline, where they are given. */
  readonly published: { readonly mase: number; readonly crps: number } | undefined;
}

const refuse = (path: string, problem: string, hint: string, cause?: unknown): never => {
  throw new TollamaError('INVALID_INPUT', `${path}: ${problem}`, {
    hint,
    ...(cause !== undefined && { cause }),
  });
};

const read = async (path: string, hint: string): Promise<Buffer> => {
  try {
    return await readFile(path);
  } catch (cause) {
    return refuse(path, errorMessage(cause), hint, cause);
  }
};

const HINT =
  "give --data a folder with a configs.json, or GIFT-Eval's folders of Arrow files (m4_hourly, electricity/15T, ...)";

/**
 * The configurations of a folder, in the file's order; without a configs.json those whose data sets lie in it.
 *
 * @throws TollamaError INVALID_INPUT for a missing or wrong configs.json
 */
export const readConfigurations = async (folder: string): Promise<ConfigurationSource[]> => {
  const path = join(folder, 'configs.json');
  const hasConfigurations = await access(path).then(
    () => true,
    () => false,
  );
  if (!hasConfigurations) {
    const stored = await storedConfigurations(folder);
    if (stored.length > 0) return stored;
  }
  const bytes = await read(path, HINT);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    return refuse(path, `is not valid JSON: ${errorMessage(cause)}`, 'fix the file', cause);
  }
  const parsed = ConfigurationFile.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return refuse(path, `${issue!.path.join('.')}: ${issue!.message}`, 'fix the entry');
  }
  return Object.entries(parsed.data).map(([name, entry]) => ({ name, ...entry }));
};

const readNumber = (text: string, path: string, place: string): number => {
  if (text === '') return Number.NaN;
  const value = Number(text);
  if (Number.isNaN(value) && !/^nan$/i.test(text)) {
    return refuse(path, `${place}: '${text}' is no number`, 'leave missing values empty');
  }
  return value;
};

const COLUMNS = ['item_id', 'start', 'freq', 'target'] as const;

/** Series of `item_id,start,freq,target`, the values joined by semicolons. */
export const parseSeries = (text: string, path: string): DataSeries[] => {
  const [header = '', ...rows] = text.split(/\r?\n/).filter((line) => line !== '');
  const names = header.split(',').map((name) => name.trim());
  const [id, start, freq, target] = COLUMNS.map((name) => names.indexOf(name));
  if (target === undefined || target < 0 || id === undefined || id < 0) {
    return refuse(path, `columns are ${names.join(', ')}`, `give ${COLUMNS.join(', ')}`);
  }
  return rows.map((row, r) => {
    const cells = row.split(',');
    const place = `row ${r + 2}`;
    if (cells.length !== names.length) {
      return refuse(path, `${place} has ${cells.length} cells`, `give ${names.length} in each row`);
    }
    return {
      id: cells[id]!,
      start: cells[start ?? -1] ?? '',
      freq: cells[freq ?? -1] ?? '',
      target: Float64Array.from(cells[target]!.split(';'), (cell) =>
        readNumber(cell.trim(), path, `${place}, item ${cells[id]}`),
      ),
    };
  });
};

const isGzip = (bytes: Buffer): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** Reads one data file, packed or not, or a folder of Arrow files. */
export const readDataFile = async (folder: string, file: string): Promise<DataFile> => {
  const path = join(folder, file);
  if (await isArrowStore(path)) return readArrowStore(path);
  const bytes = await read(path, 'configs.json names a file that is not there');
  const text = (isGzip(bytes) ? await promisify(gunzip)(bytes) : bytes).toString('utf8');
  const series = parseSeries(text, path);
  if (series.length === 0) return refuse(path, 'holds no series', 'give one row for each series');
  return { series, digest: createHash('sha256').update(bytes).digest('hex') };
};

const termOf = ({ name, term }: ConfigurationSource): Term => {
  const last = name.split('/').at(-1)!;
  return term ?? TERMS.find((known) => known === last) ?? 'short';
};

/** Fills in what configs.json leaves to the protocol. */
export const toConfiguration = (source: ConfigurationSource, data: DataFile): Configuration => {
  const { name } = source;
  const known = findConfiguration(name);
  const freq = source.freq ?? data.series[0]!.freq;
  const horizon = source.horizon ?? predictionLength(name.split('/')[0]!, freq, termOf(source));
  return {
    name,
    freq,
    horizon,
    windows: source.windows ?? windowCount(name, horizon, shortestLength(data.series)),
    season: source.season ?? seasonality(freq),
    domain: source.domain ?? known?.domain ?? '',
    variates: source.variates ?? known?.variates ?? 1,
    series: withOwnIds(data.series),
    digest: data.digest,
    published: source.seasonalNaive,
  };
};
