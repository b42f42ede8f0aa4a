import { readFile, writeFile } from 'node:fs/promises';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { futureTimestamps, parseFrequency } from '@tollama/core/frequency';
import type { EnsembleResult } from '@tollama/evaluation/ensemble/ensemble';
import type { SeriesForecast, TaskSeries } from '@tollama/session/backend/backend';
import { Command, Option } from 'commander';
import { createBackend } from '../evaluation/backend.ts';
import { defaultHorizon } from '../forecast/body.ts';
import { toTaskSeries } from '../forecast/task-series.ts';
import { interruptSignal } from '../terminal/interrupt.ts';
import { printJson } from '../terminal/json.ts';
import { createProgress } from '../terminal/progress.ts';
import { table } from '../terminal/table.ts';
import { commaSeparated, positiveInteger, withExamples } from './options.ts';
import { INPUT_KINDS, readInput, type SeriesOptions, withSeriesOptions } from './series-options.ts';

interface EnsembleOptions extends SeriesOptions {
  readonly input: string;
  readonly horizon?: number;
  readonly combine: 'mean' | 'median' | 'stack';
  readonly calibrate?: boolean;
  readonly windows: number;
  readonly hierarchy?: string;
  readonly reconcile: 'bottom_up' | 'mint_shrink';
  readonly quantiles: readonly number[];
  readonly output?: string;
}

const DEFAULT_MEMBERS = ['auto', 'theta', 'auto-ets'];
const DEFAULT_LEVELS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

const levelList = (text: string): number[] => commaSeparated(text).map(Number);

const readHierarchy = async (path: string): Promise<Record<string, string[]>> => {
  const refuse = (problem: string, cause?: unknown): never => {
    throw new TollamaError('INVALID_INPUT', `${path}: ${problem}`, {
      hint: 'give JSON such as {"total": ["north", "south"]}',
      ...(cause !== undefined && { cause }),
    });
  };
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    return refuse(errorMessage(error), error);
  }
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const entries = Object.entries(isObject ? (value as object) : {});
  const isTree = ([, children]: [string, unknown]): boolean =>
    Array.isArray(children) && children.every((child) => typeof child === 'string');
  if (entries.length === 0 || !entries.every(isTree)) return refuse('is no hierarchy');
  return Object.fromEntries(entries) as Record<string, string[]>;
};

const stampsOf = ({ timestamps, freq }: TaskSeries, length: number): string[] => {
  try {
    return futureTimestamps(timestamps!.at(-1)!, parseFrequency(freq), length);
  } catch {
    return Array.from({ length }, (_, h) => String(h + 1));
  }
};

const csvCell = (value: string): string =>
  /[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;

/** unique_id, ds, ensemble, ensemble-q-10, ... */
const csvOf = (
  forecasts: readonly SeriesForecast[],
  series: readonly TaskSeries[],
  levels: readonly number[],
): string => {
  const names = levels.map((level) => `ensemble-q-${Number((level * 100).toPrecision(6))}`);
  const byId = new Map(series.map((one) => [one.id, one]));
  const rows = forecasts.flatMap(({ id, mean, quantiles }) => {
    const stamps = stampsOf(byId.get(id) ?? series[0]!, mean.length);
    return Array.from(mean, (value, h) =>
      [csvCell(id), csvCell(stamps[h]!), value, ...quantiles.map((row) => row[h]!)].join(','),
    );
  });
  return `${[['unique_id', 'ds', 'ensemble', ...names].join(','), ...rows].join('\n')}\n`;
};

const present = async (
  result: EnsembleResult,
  series: readonly TaskSeries[],
  options: EnsembleOptions,
): Promise<void> => {
  const { output, json, quiet, quantiles } = options;
  const rows = result.members.map(({ name, weight, loss }) => [
    name,
    weight.toFixed(4),
    loss === undefined ? '-' : loss.toPrecision(4),
  ]);
  if (!quiet) process.stderr.write(`${table(['MEMBER', 'WEIGHT', 'PAST LOSS'], rows)}\n`);
  const csv = csvOf(result.forecasts, series, quantiles);
  if (output) {
    await writeFile(output, csv);
    if (!quiet) process.stderr.write(`wrote ${result.forecasts.length} forecasts to ${output}\n`);
  } else if (json) {
    printJson({
      members: result.members,
      forecasts: result.forecasts.map(({ id, mean, quantiles: paths }) => ({
        id,
        mean: [...mean],
        quantiles: Object.fromEntries(paths.map((row, l) => [String(quantiles[l]), [...row]])),
      })),
    });
  } else process.stdout.write(csv);
};

const ensemble = async (models: readonly string[], options: EnsembleOptions): Promise<void> => {
  const progress = createProgress('auto', options.quiet);
  const signal = interruptSignal();
  const { forecastEnsemble } = await import('@tollama/evaluation/ensemble/ensemble');
  try {
    const input = await readInput(options.input, options);
    const series = toTaskSeries(input.series, options.freq);
    const { baseUrl, acceptLicense = false } = options;
    const backend = await createBackend({ baseUrl, acceptLicense, progress, signal });
    const names = [...new Set(models.length > 0 ? models : DEFAULT_MEMBERS)];
    const forecasters = [];
    for (const name of names) {
      const loaded = await backend.load({ model: name, device: null, options: {} });
      forecasters.push({
        name,
        forecast: async (task: Parameters<typeof loaded.forecast>[0]) =>
          (await loaded.forecast(task)).forecasts,
      });
    }
    progress.status(`forecasting ${series.length} series with ${names.join(', ')}`);
    const result = await forecastEnsemble(series, forecasters, {
      horizon: options.horizon ?? defaultHorizon(input.series[0]!, options.freq),
      quantiles: options.quantiles,
      combine: options.combine,
      calibrates: options.calibrate ?? false,
      windows: options.windows,
      signal,
      ...(options.hierarchy && {
        hierarchy: await readHierarchy(options.hierarchy),
        reconcileMethod: options.reconcile,
      }),
    });
    progress.stop();
    await present(result, series, options);
  } finally {
    progress.stop();
  }
};

export const ensembleCommand = (): Command =>
  withExamples(
    withSeriesOptions(
      new Command('ensemble')
        .description('combine the forecasts of several models; calibrate them; make them add up')
        .argument('[models...]', `members (default: ${DEFAULT_MEMBERS.join(' ')})`)
        .requiredOption('-i, --input <file>', INPUT_KINDS)
        .option('--horizon <steps>', 'steps to forecast (default: two seasons)', positiveInteger)
        .addOption(
          new Option('--combine <how>', 'mean or median by level, or weights from past windows')
            .choices(['mean', 'median', 'stack'])
            .default('mean'),
        )
        .option('--calibrate', 'conformal quantiles from the errors of past windows, by step')
        .option('--windows <n>', 'past windows for stacking and calibration', positiveInteger, 3)
        .option('--hierarchy <file>', 'JSON of parents and their children; forecasts will add up')
        .addOption(
          new Option('--reconcile <method>', 'from the leaves, or by minimal trace')
            .choices(['bottom_up', 'mint_shrink'])
            .default('mint_shrink'),
        )
        .option('--quantiles <levels>', 'levels, such as 0.1,0.5,0.9', levelList, DEFAULT_LEVELS)
        .option('-o, --output <file>', 'write the forecasts as CSV'),
    ).action(ensemble),
    [
      'tollama ensemble auto theta chronos-bolt-small --input sales.csv --combine stack --calibrate',
      'tollama ensemble --input regions.csv --hierarchy tree.json --reconcile mint_shrink',
    ],
  );
