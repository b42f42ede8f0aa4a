/** Real series that the package vega-datasets ships: for choices on a model that may not see evaluation data. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';

export interface RealSeries {
  readonly name: string;
  /** Group whose series share a weight. */
  readonly group: string;
  readonly freq: string;
  readonly season: number;
  readonly horizon: number;
  readonly values: Float64Array;
}

const FOLDER = join(dirname(createRequire(import.meta.url).resolve('vega-datasets')), '..', 'data');

const table = (file: string): Record<string, string>[] => {
  const [head, ...lines] = readFileSync(join(FOLDER, file), 'utf8').trim().split('\n');
  const names = head!.split(',');
  return lines.map((line) => {
    const cells = line.split(',');
    return Object.fromEntries(names.map((name, i) => [name, cells[i] ?? '']));
  });
};

type Shape = Pick<RealSeries, 'group' | 'freq' | 'season' | 'horizon'>;

const columnsOf = (
  file: string,
  names: readonly string[],
  shape: Shape,
  keep: (row: Record<string, string>) => boolean = () => true,
  suffix = '',
): RealSeries[] => {
  const rows = table(file).filter(keep);
  return names.map((name) => ({
    ...shape,
    name: `${shape.group} ${name}${suffix}`,
    values: Float64Array.from(rows, (row) => Number(row[name])),
  }));
};

const grouped = (
  rows: readonly Record<string, unknown>[],
  key: string,
  value: string,
  shape: Shape,
): RealSeries[] => {
  const groups = Map.groupBy(rows, (row) => String(row[key]));
  return [...groups].map(([name, own]) => ({
    ...shape,
    name: `${shape.group} ${name} ${value}`,
    values: Float64Array.from(own, (row) => Number(row[value])),
  }));
};

const json = (file: string): Record<string, unknown>[] =>
  JSON.parse(readFileSync(join(FOLDER, file), 'utf8'));

/** Counts of events in steps of `minutes`. */
const countsOf = (times: readonly number[], minutes: number): Float64Array => {
  const step = minutes * 60_000;
  const first = Math.floor(times.reduce((a, b) => Math.min(a, b)) / step);
  const last = Math.floor(times.reduce((a, b) => Math.max(a, b)) / step);
  const counts = new Float64Array(last - first + 1);
  for (const time of times) counts[Math.floor(time / step) - first]! += 1;
  return counts;
};

const AIRPORTS = ['ATL', 'ORD', 'LAX', 'SFO', 'BNA', 'HNL'] as const;

const flights = async (): Promise<RealSeries[]> => {
  const file = await asyncBufferFromFile(join(FOLDER, 'flights-3m.parquet'));
  const rows = (await parquetReadObjects({
    file,
    columns: ['date', 'origin'],
    compressors: { ZSTD: (bytes) => new Uint8Array(zstdDecompressSync(bytes)) },
  })) as { date: Date; origin: string }[];
  const of = (origin?: string): number[] =>
    rows.filter((row) => !origin || row.origin === origin).map(({ date }) => date.getTime());
  const shapes = [
    { minutes: 15, shape: { group: 'flights 15min', freq: '15min', season: 96, horizon: 96 } },
    { minutes: 60, shape: { group: 'flights hourly', freq: 'h', season: 24, horizon: 168 } },
    { minutes: 1440, shape: { group: 'flights daily', freq: 'D', season: 7, horizon: 14 } },
  ] as const;
  return [undefined, ...AIRPORTS].flatMap((origin) => {
    const times = of(origin);
    return shapes.map(({ minutes, shape }) => ({
      ...shape,
      name: `${shape.group} ${origin ?? 'all'}`,
      values: countsOf(times, minutes),
    }));
  });
};

/** All series, with the horizon and the season that belong to their frequency. */
export const realSeries = async (): Promise<readonly RealSeries[]> => {
  const monthly = { freq: 'MS', season: 12, horizon: 18 } as const;
  const daily = { freq: 'D', season: 7, horizon: 30 } as const;
  const yearly = { freq: 'YS', season: 1, horizon: 6 } as const;
  const hourly = { freq: 'h', season: 24, horizon: 48 } as const;
  const quakes = (
    json('earthquakes.json') as unknown as { features: { properties: { time: number } }[] }
  ).features.map(({ properties }) => properties.time);
  const employment = Object.keys(table('us-employment.csv')[0]!).filter(
    (name) => name !== 'month' && name !== 'nonfarm_change',
  );
  const weather = ['precipitation', 'temp_max', 'temp_min', 'wind'];
  return [
    ...columnsOf(
      'weather.csv',
      weather,
      { group: 'weather', ...daily },
      (row) => row.location === 'Seattle',
      ' Seattle',
    ),
    ...columnsOf(
      'weather.csv',
      weather,
      { group: 'weather', ...daily },
      (row) => row.location !== 'Seattle',
      ' New York',
    ),
    // Not its temperature: that is H280 of M4 hourly (bench/overlap.ts).
    ...columnsOf('seattle-weather-hourly-normals.csv', ['pressure', 'wind'], {
      group: 'normals',
      ...hourly,
    }),
    ...columnsOf('co2-concentration.csv', ['CO2'], { group: 'co2', ...monthly }),
    ...columnsOf('us-employment.csv', employment, { group: 'employment', ...monthly }),
    ...grouped(json('unemployment-across-industries.json'), 'series', 'count', {
      group: 'unemployment',
      ...monthly,
    }),
    ...grouped(table('stocks.csv'), 'symbol', 'price', { group: 'stocks', ...monthly }),
    ...columnsOf('sp500-2000.csv', ['close', 'volume'], {
      group: 'sp500',
      freq: 'B',
      season: 5,
      horizon: 20,
    }),
    ...grouped(table('iowa-electricity.csv'), 'source', 'net_generation', {
      group: 'iowa',
      ...yearly,
      horizon: 4,
    }),
    ...columnsOf('global-temp.csv', ['temp'], { group: 'global temperature', ...yearly }),
    {
      group: 'earthquakes',
      ...hourly,
      horizon: 24,
      name: 'earthquakes',
      values: countsOf(quakes, 60),
    },
    ...(await flights()),
  ].filter(({ values }) => values.every(Number.isFinite));
};
