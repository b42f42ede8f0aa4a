import { availableParallelism } from 'node:os';
import type { BatchOptions, BatchSummary, RunProgress } from '@tollama/batch';
import { readSettings } from '@tollama/core/settings';
import { DEFAULT_MODEL, isEmbeddedName } from '@tollama/core/statistical';
import { Command, InvalidArgumentError, Option } from 'commander';
import { connectOrStart } from '../daemon/connect.ts';
import { pullingWhenMissing } from '../forecast/ask.ts';
import { humanBytes, humanDuration } from '../terminal/human.ts';
import { interruptSignal } from '../terminal/interrupt.ts';
import { printJson } from '../terminal/json.ts';
import { createProgress, type Progress } from '../terminal/progress.ts';
import { batchStatusCommand } from './batch-status.ts';
import { batchStopCommand } from './batch-stop.ts';
import { modelOption, positiveInteger, withExamples } from './options.ts';

interface BatchCommandOptions {
  readonly model: string;
  readonly horizon: number;
  readonly output: string;
  readonly freq: string;
  readonly quantiles: readonly number[];
  readonly chunk: number;
  readonly workers?: number;
  readonly queue?: string;
  readonly idCol?: string;
  readonly timeCol?: string;
  readonly targetCol?: string;
  readonly timeZone?: string;
  readonly pastCovariates?: readonly string[];
  readonly futureCovariates?: readonly string[];
  readonly staticCovariates?: readonly string[];
  readonly future?: readonly string[];
  readonly covariatesMode: 'strict' | 'best_effort';
  readonly option?: Readonly<Record<string, unknown>>;
  readonly memory: number;
  readonly resume?: boolean;
  readonly fresh?: boolean;
  readonly acceptLicense?: boolean;
  readonly baseUrl?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const CHUNK_SERIES = 256;
const CHUNK_POINTS = 250_000;
const MEMORY_MEGABYTES = 300;

const levels = (text: string): number[] => {
  const found = text.split(',').map(Number);
  const isGood = found.every((level) => level > 0 && level < 1);
  if (!isGood) throw new InvalidArgumentError('use levels between 0 and 1, such as 0.1,0.5,0.9.');
  return [...new Set(found)].toSorted((a, b) => a - b);
};

const names = (text: string): string[] => text.split(',').map((name) => name.trim());

const further = (path: string, paths: readonly string[] = []): string[] => [...paths, path];

const timeZone = (name: string): string => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    throw new InvalidArgumentError('use a name such as Europe/Berlin.');
  }
};

const wholeNumber = (text: string): number => (text === '0' ? 0 : positiveInteger(text));

/** 120,000 of 1,000,000 series, 12 % ... */
export const progressLine = ({ series, failed, total, ...rest }: RunProgress): string => {
  const share = total > 0 ? Math.floor((100 * series) / total) : 100;
  const rate = rest.seriesPerSecond > 0 ? `, ${Math.round(rest.seriesPerSecond)}/s` : '';
  const left = rest.etaMs && series < total ? `, ${humanDuration(rest.etaMs)} left` : '';
  const lost = failed > 0 ? `, ${failed} failed` : '';
  return `${series} of ${total} series, ${share}%${rate}${left}${lost}`;
};

interface Daemon {
  readonly baseUrl: string;
  readonly support: NonNullable<BatchOptions['support']>;
}

/** The daemon's address for models with weights, which are pulled when they are missing. */
const daemonFor = async (
  options: BatchCommandOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<Daemon | undefined> => {
  const { model, baseUrl, acceptLicense = false } = options;
  if (isEmbeddedName(model)) return undefined;
  const client = await connectOrStart({ baseUrl }, progress);
  const asking = { client, progress, signal, acceptLicense, printsPull: false };
  await pullingWhenMissing(model, asking, () => client.show(model));
  const { family, capabilities } = await client.capabilities(model);
  return { baseUrl: client.baseUrl, support: { family, support: capabilities } };
};

const printSummary = (summary: BatchSummary, resumed: boolean): void => {
  const { output, series, failed, rows, parts, errors, elapsedMs, memoryBytes } = summary;
  const rate = elapsedMs > 0 ? `, ${Math.round((series / elapsedMs) * 1000)} series/s` : '';
  const memory = memoryBytes > 0 ? `, ${humanBytes(memoryBytes)} of memory at most` : '';
  process.stderr.write(
    `wrote ${rows} rows of ${series - failed} series to ${parts} files in ${output} in ${humanDuration(elapsedMs)}${rate}${memory}\n`,
  );
  if (resumed) process.stderr.write(`${summary.resumed} series were done before\n`);
  if (failed > 0) process.stderr.write(`${failed} series failed: ${errors} says why\n`);
};

const batch = async (inputs: readonly string[], options: BatchCommandOptions): Promise<void> => {
  const { model, horizon, quantiles, freq, chunk, output, quiet, json, queue } = options;
  const progress = createProgress('auto', quiet);
  const signal = interruptSignal();
  // Loaded here, so that other commands start without it.
  const { runBatch } = await import('@tollama/batch');
  const { loadDuckDb } = await import('@tollama/ingest/duckdb');
  try {
    // Before a model is pulled for nothing.
    await loadDuckDb();
    const daemon = await daemonFor(options, progress, signal);
    progress.status('looking through the panel');
    const summary = await runBatch({
      inputs,
      output,
      settings: {
        ...{ model, horizon, quantiles: [...quantiles], freq },
        options: { ...options.option } as BatchOptions['settings']['options'],
      },
      columns: {
        idColumn: options.idCol,
        timeColumn: options.timeCol,
        targetColumns: options.targetCol === undefined ? undefined : [options.targetCol],
        timeZone: options.timeZone,
      },
      covariates: {
        past: options.pastCovariates,
        future: options.futureCovariates,
        static: options.staticCovariates,
        mode: options.covariatesMode,
      },
      future: options.future,
      support: daemon?.support,
      chunk: { series: chunk, points: CHUNK_POINTS },
      workers: options.workers ?? availableParallelism(),
      queue,
      baseUrl: daemon?.baseUrl,
      isFresh: options.fresh ?? false,
      mustResume: options.resume ?? false,
      memoryMegabytes: options.memory,
      env: process.env,
      home: readSettings(process.env).home,
      signal,
      onProgress: (at) => progress.status(progressLine(at)),
      onWarning: (text) => {
        if (!quiet) process.stderr.write(`${text}\n`);
      },
      onStaged: ({ doneBytes, totalBytes }) =>
        progress.status(`fetching ${humanBytes(doneBytes)} of ${humanBytes(totalBytes)}`),
    });
    progress.stop();
    if (json) printJson(summary);
    else if (!quiet) printSummary(summary, summary.resumed > 0);
  } finally {
    progress.stop();
  }
};

export const batchCommand = (): Command =>
  withExamples(
    new Command('batch')
      .description('forecast a whole panel into Parquet; a run that was cut off goes on')
      .argument(
        '<panel...>',
        'Parquet, Arrow, CSV or JSON files, globs, s3:// and https:// addresses',
      )
      .option('-m, --model <model>', 'the model', DEFAULT_MODEL)
      // Not marked as required: commander would ask the inner commands for them too.
      .option('--horizon <steps>', 'steps to forecast (required)', positiveInteger)
      .option('-o, --output <folder>', 'where the Parquet files and the errors go (required)')
      .option('--freq <alias>', 'frequency as a pandas alias', 'auto')
      .option('--quantiles <levels>', 'levels, comma separated', levels, [0.1, 0.5, 0.9])
      .option('--id-col <name>', 'column of the ids (default: found by its name)')
      .option('--time-col <name>', 'column of the times')
      .option('--target-col <name>', 'column of the values')
      .option('--time-zone <name>', 'whose clocks tell times with a zone (default: UTC)', timeZone)
      .option('--past-covariates <names>', 'columns known up to the last time', names)
      .option('--future-covariates <names>', 'columns known over the horizon too', names)
      .option('--static-covariates <names>', 'columns with one value a series', names)
      .option('--future <panel>', 'rows after the last ones, with the future covariates', further)
      .addOption(
        new Option('--covariates-mode <mode>', 'what becomes of those that the model cannot use')
          .choices(['strict', 'best_effort'])
          .default('strict'),
      )
      .option('--option <name=value>', "an option of the model's own; may be repeated", modelOption)
      .option('--chunk <series>', 'series of one job', positiveInteger, CHUNK_SERIES)
      .option('--workers <n>', 'worker processes here (default: number of processors)', wholeNumber)
      .option('--queue <url>', 'redis://host:port, whose `tollama worker`s take part')
      .option(
        '--memory <megabytes>',
        'of the reader; more is on disk',
        positiveInteger,
        MEMORY_MEGABYTES,
      )
      .option('--resume', 'only go on with a run that was cut off')
      .option('--fresh', 'start anew, whatever is in the output folder')
      .option('--accept-license', 'accept the licence of a model that is pulled')
      .option('--base-url <url>', 'address of the daemon; without it one is started when needed')
      .option('--json', 'print JSON')
      .option('-q, --quiet', 'no progress and no notes')
      .action((inputs: string[], options: BatchCommandOptions, command: Command) => {
        for (const name of ['horizon', 'output'] as const) {
          if (options[name] === undefined) {
            command.error(`error: required option '--${name}' not specified`);
          }
        }
        return batch(inputs, options);
      })
      .addCommand(batchStatusCommand())
      .addCommand(batchStopCommand()),
    [
      'tollama batch panel.parquet --horizon 28 --output forecasts',
      "tollama batch 'sales/*.parquet' --model theta --horizon 12 --freq MS -o forecasts",
      'tollama batch panel.parquet --horizon 28 -o forecasts --queue redis://10.0.0.5:6379 --workers 0',
      'tollama batch status forecasts',
      'tollama batch stop forecasts',
    ],
  );
