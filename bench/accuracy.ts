/**
 * Accuracy of a model on a folder of GIFT-Eval configurations (configs.json, one csv.gz of series per
 * dataset, published.csv): MASE and CRPS per configuration, their ratio to seasonal naive, geometric means.
 *
 *   node bench/accuracy.ts --data FOLDER [--model auto | FOLDER OF A CHECKPOINT] [--configs REGEX] [--windows N] [--against FLAIR]
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { type Forecaster, forecasterOf } from './forecasters.ts';

interface Configuration {
  readonly file: string;
  readonly freq: string;
  readonly horizon: number;
  readonly windows: number;
  readonly season: number;
}

interface Score {
  readonly mase: number;
  readonly crps: number;
}

const LEVELS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/** Season lengths that a calendar suggests, in steps of the frequency. */
const CALENDAR: Readonly<Record<string, readonly number[]>> = {
  '10S': [360, 8640],
  '5T': [288, 2016],
  '10T': [144, 1008],
  '15T': [96, 672],
  H: [24, 168],
  D: [7, 365],
  A: [],
  Q: [4],
  W: [52],
  M: [12],
};

const candidates = (freq = ''): readonly number[] => CALENDAR[freq.replace(/-.*/, '')] ?? [];

const readSeries = (path: string): Float64Array[] =>
  gunzipSync(readFileSync(path))
    .toString('utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) =>
      Float64Array.from(line.slice(line.lastIndexOf(',') + 1).split(';'), (text) =>
        text === '' ? Number.NaN : Number(text),
      ),
    );

/** Mean |y[t] - y[t - season]| over pairs that are both present. */
const seasonalError = (past: Float64Array, season: number): number => {
  const lag = season > past.length ? 1 : season;
  let sum = 0;
  let count = 0;
  for (let i = lag; i < past.length; i++) {
    const step = Math.abs(past[i]! - past[i - lag]!);
    if (Number.isNaN(step)) continue;
    sum += step;
    count++;
  }
  return sum / count;
};

class Scores {
  #scaled = 0;
  #points = 0;
  #labels = 0;
  readonly #losses = new Float64Array(LEVELS.length);

  add(label: Float64Array, quantiles: readonly ArrayLike<number>[], scale: number): void {
    for (let h = 0; h < label.length; h++) {
      const y = label[h]!;
      if (Number.isNaN(y)) continue;
      this.#labels += Math.abs(y);
      if (scale > 0) {
        this.#scaled += Math.abs(y - quantiles[4]![h]!) / scale;
        this.#points++;
      }
      LEVELS.forEach((level, k) => {
        const q = quantiles[k]![h]!;
        this.#losses[k]! += 2 * Math.abs((y - q) * ((q >= y ? 1 : 0) - level));
      });
    }
  }

  get result(): Score {
    const crps = this.#losses.reduce((sum, loss) => sum + loss / this.#labels, 0) / LEVELS.length;
    return { mase: this.#scaled / this.#points, crps };
  }
}

const evaluate = async (
  forecast: Forecaster,
  series: readonly Float64Array[],
  { freq, horizon, windows, season }: Configuration,
  asked: number,
): Promise<Score & { seconds: number; tasks: number }> => {
  const scores = new Scores();
  let seconds = 0;
  let tasks = 0;
  // An even sample of the windows, the last among them.
  const every = Math.max(1, Math.floor(windows / asked));
  for (const values of series) {
    for (let k = windows; k > 0; k -= every) {
      const end = values.length - horizon * k;
      const past = values.subarray(0, end);
      const started = performance.now();
      const series = [{ id: '', targets: [past], freq }];
      const quantiles = await forecast({ series, horizon, quantiles: LEVELS, options: {} });
      seconds += (performance.now() - started) / 1000;
      tasks++;
      const label = values.subarray(end, end + horizon);
      scores.add(label, quantiles, seasonalError(past, season));
    }
  }
  return { ...scores.result, seconds, tasks };
};

const readPublished = (path: string, model: string): ReadonlyMap<string, Score> => {
  const rows = readFileSync(path, 'utf8').trim().split('\n').slice(1);
  const ours = rows.map((row) => row.split(',')).filter((cells) => cells[1] === model);
  return new Map(
    ours.map((cells) => [cells[0]!, { mase: Number(cells[4]), crps: Number(cells[5]) }]),
  );
};

const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

const main = async (): Promise<void> => {
  const { values: options } = parseArgs({
    options: {
      data: { type: 'string' },
      model: { type: 'string', default: 'auto' },
      configs: { type: 'string', default: '' },
      windows: { type: 'string', default: '1000' },
      against: { type: 'string', default: 'FLAIR' },
    },
  });
  if (!options.data || !existsSync(join(options.data, 'configs.json'))) {
    console.error(
      `SKIPPED: no configs.json in the data folder ${options.data ?? '(none: give --data FOLDER)'}`,
    );
    return;
  }
  const { data } = options;
  const forecast = await forecasterOf(options.model, candidates);
  const configurations: Record<string, Configuration> = JSON.parse(
    readFileSync(join(data, 'configs.json'), 'utf8'),
  );
  const naive = readPublished(join(data, 'published.csv'), 'seasonal_naive');
  const peer = readPublished(join(data, 'published.csv'), options.against);
  const rows: { mase: number; crps: number; peerMase: number; peerCrps: number }[] = [];
  console.log(
    `${'configuration'.padEnd(34)}   MASE   CRPS  | ${options.against.padEnd(14)}| tasks/s`,
  );
  let files: { name: string; series: readonly Float64Array[] } | undefined;
  for (const [name, configuration] of Object.entries(configurations)) {
    if (!new RegExp(options.configs).test(name)) continue;
    if (files?.name !== configuration.file) {
      files = { name: configuration.file, series: readSeries(join(data, configuration.file)) };
    }
    const score = await evaluate(forecast, files.series, configuration, Number(options.windows));
    const base = naive.get(name)!;
    const other = peer.get(name) ?? { mase: Number.NaN, crps: Number.NaN };
    const row = {
      mase: score.mase / base.mase,
      crps: score.crps / base.crps,
      peerMase: other.mase / base.mase,
      peerCrps: other.crps / base.crps,
    };
    rows.push(row);
    const cells = [row.mase, row.crps].map((x) => x.toFixed(3).padStart(6)).join(' ');
    const peers = [row.peerMase, row.peerCrps].map((x) => x.toFixed(3)).join('  ');
    const rate = (score.tasks / score.seconds).toFixed(0).padStart(6);
    console.log(`${name.padEnd(34)} ${cells}  | ${peers}  | ${rate}`);
  }
  const mean = (key: keyof (typeof rows)[number]): string =>
    geometricMean(rows.map((row) => row[key])).toFixed(4);
  console.log(
    `${'geometric mean'.padEnd(34)} ${mean('mase')} ${mean('crps')} | ${mean('peerMase')} ${mean('peerCrps')}`,
  );
};

await main();
