/** Forecasts as files: a long frame (CSV, Parquet, Arrow, DuckDB, NDJSON), or the whole response as JSON. */
import { rename, rm, writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import type { ForecastResponse } from '@tollama/client';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { futureTimestamps, parseFrequency } from '@tollama/core/frequency';
import type { InputSeries } from '@tollama/ingest/series-objects';
import type { TableRow } from '@tollama/ingest/table-columns';
import { isTablePath, TABLE_ENDINGS, writeTable } from '@tollama/ingest/write-table';
import { forecastJson } from '../terminal/json.ts';

type Forecast = ForecastResponse['forecasts'][number];

/** Timestamps of the steps; 1, 2, ... where the last one of the history cannot be read. */
export const stepTimestamps = (forecast: Forecast, history: InputSeries): string[] => {
  const { length } = forecast.mean;
  try {
    return futureTimestamps(history.timestamps.at(-1)!, parseFrequency(forecast.freq), length);
  } catch {
    return Array.from({ length }, (_, i) => String(i + 1));
  }
};

const cell = (value: string): string =>
  /[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;

const levelsOf = ({ forecasts }: ForecastResponse): string[] =>
  Object.keys(forecasts.find(({ quantiles }) => quantiles)?.quantiles ?? {});

const percentName =
  ({ model }: ForecastResponse) =>
  (level: string): string =>
    `${model}-q-${Number((Number(level) * 100).toPrecision(6))}`;

/** The long frame as rows. */
const forecastRows = (response: ForecastResponse, history: readonly InputSeries[]): TableRow[] => {
  const { model, forecasts } = response;
  const levels = levelsOf(response);
  const names = levels.map(percentName(response));
  return forecasts.flatMap((forecast, i) => {
    const stamps = stepTimestamps(forecast, history[i]!);
    return forecast.mean.map((mean, h): TableRow => {
      const row: Record<string, unknown> = {
        unique_id: forecast.id,
        ds: stamps[h]!,
        [model]: mean,
      };
      levels.forEach((level, k) => {
        row[names[k]!] = forecast.quantiles?.[level]?.[h] ?? null;
      });
      return row;
    });
  });
};

/** unique_id, ds, <model>, <model>-q-10, ...: the columns that tools of the field know. */
export const forecastCsv = (
  response: ForecastResponse,
  history: readonly InputSeries[],
): string => {
  const { model, forecasts } = response;
  const levels = levelsOf(response);
  const percent = percentName(response);
  const lines = [['unique_id', 'ds', model, ...levels.map(percent)].map(cell).join(',')];
  forecasts.forEach((forecast, i) => {
    const stamps = stepTimestamps(forecast, history[i]!);
    forecast.mean.forEach((mean, h) => {
      const row = [mean, ...levels.map((level) => forecast.quantiles?.[level]?.[h] ?? '')];
      lines.push([cell(forecast.id), cell(stamps[h]!), ...row].join(','));
    });
  });
  return `${lines.join('\n')}\n`;
};

/** Text formats of the command's own; undefined for tables, which are written as such. */
const contentFor = (
  path: string,
  response: ForecastResponse,
  history: readonly InputSeries[],
): string | undefined => {
  switch (extname(path).toLowerCase()) {
    case '.csv':
      return forecastCsv(response, history);
    case '.json':
      return `${forecastJson(response)}\n`;
    default:
      return undefined;
  }
};

/** Checks before anything runs that the file can be written as asked. */
export const checkOutput = (path: string): void => {
  if (isTablePath(path)) return;
  throw new TollamaError('INVALID_REQUEST', `--output ${path}: unknown kind of file`, {
    hint: `use a name that ends in ${TABLE_ENDINGS.join(', ')}`,
  });
};

/** Writes beside the place and renames, so that an interrupted run leaves no half file. */
export const writeOutput = async (
  path: string,
  response: ForecastResponse,
  history: readonly InputSeries[],
): Promise<void> => {
  const content = contentFor(path, response, history);
  if (content === undefined) return writeTable(path, forecastRows(response, history));
  const partial = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(partial, content);
    await rename(partial, path);
  } catch (cause) {
    await rm(partial, { force: true });
    if (cause instanceof TollamaError) throw cause;
    throw new TollamaError(
      'INVALID_REQUEST',
      `--output ${path} cannot be written: ${errorMessage(cause)}`,
      { cause },
    );
  }
};
