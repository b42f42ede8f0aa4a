/** A whole run: reads the panel, sends its chunks to workers, writes what comes back; goes on where it was cut off. */
import { readFile, rm } from 'node:fs/promises';
import { TollamaError } from '@tollama/core/errors';
import { parseFrequency } from '@tollama/core/frequency';
import { parseBody } from '@tollama/core/schema-issues';
import { shownAddress } from '@tollama/queue';
import { chunksOf } from '../panel/chunks.ts';
import { covariateNames } from '../panel/covariate-rows.ts';
import { type DuckDb, openDuckDb } from '../panel/duckdb.ts';
import { readPanel } from '../panel/read-panel.ts';
import { isRemote, shownInput } from '../remote/remote-files.ts';
import { BatchSettings } from '../settings.ts';
import type { BatchOptions } from './batch-options.ts';
import { dispatch } from './dispatcher.ts';
import { startLocalWorkers } from './local-workers.ts';
import { openEngine } from './open-engine.ts';
import { type OpenedRun, openPanel, openRun } from './open-run.ts';
import { createPartWriter, type PartWriter } from './part-writer.ts';
import { startReporter } from './reporter.ts';
import {
  prepareFolder,
  type RunPaths,
  type RunProgress,
  type RunState,
  runPaths,
  writeRunState,
  writeWhole,
} from './run-folder.ts';
import { lockRun } from './run-lock.ts';
import { startRunRecord } from './run-record.ts';

export interface BatchSummary {
  readonly output: string;
  readonly series: number;
  readonly failed: number;
  readonly rows: number;
  readonly parts: number;
  readonly errors: string;
  /** Of all runs that it took. */
  readonly elapsedMs: number;
  /** Of this run, with its workers, at most. */
  readonly memoryBytes: number;
  /** Series that earlier runs had done. */
  readonly resumed: number;
}

const DEFAULT_MEMORY_MEGABYTES = 300;

const forecastPanel = async (
  database: DuckDb,
  paths: RunPaths,
  { opened, options }: { readonly opened: OpenedRun; readonly options: BatchOptions },
): Promise<PartWriter & { readonly memoryBytes: number }> => {
  const { signal, settings, chunk, baseUrl } = options;
  const { state, panel, startedAt } = opened;
  const { columns } = panel;
  const engine = await openEngine(paths, options);
  await using queue = engine.queue;
  await using store = engine.store;
  await using workers = startLocalWorkers({ count: options.workers, baseUrl, ...engine.worker });
  options.onWorkers?.(workers);
  const { model, quantiles } = settings;
  const layout = { ...columns, model, quantiles };
  const writer = createPartWriter(paths, layout, { state, startedAt, now: Date.now });
  const workerBytes = (): number => workers.memoryBytes;
  await using reporter = await startReporter(paths, writer, { ...options, workers: workerBytes });
  const after = state.parts.at(-1)?.lastId;
  const { isOrdered } = state.plan;
  const series = readPanel(database, panel, { isOrdered, after, signal });
  const facts = { kind: columns.kind, covariates: covariateNames(columns.covariates) };
  const chunks = chunksOf(series, facts, chunk);
  const { ahead } = engine;
  const check = (): void => workers.check();
  const outcomes = dispatch(chunks, { queue, store, settings, ahead, signal, check });
  for await (const outcome of outcomes) await writer.add(outcome);
  await writer.finish();
  await reporter.last();
  const memoryBytes = process.resourceUsage().maxRSS * 1024 + workerBytes();
  return Object.assign(writer, { memoryBytes });
};

/** All errors in one file, in the order of the panel. */
const gatherErrors = async (paths: RunPaths, state: RunState): Promise<void> => {
  const texts = await Promise.all(
    state.parts.map((_, index) => readFile(paths.partErrors(index), 'utf8')),
  );
  const { rowsWithoutId } = state.plan;
  const code = 'INVALID_INPUT';
  const unnamed =
    rowsWithoutId > 0
      ? `${JSON.stringify({ unique_id: null, code, message: `${rowsWithoutId} rows have no id` })}\n`
      : '';
  await writeWhole(paths.errors, texts.join('') + unnamed);
};

const summaryOf = (
  paths: RunPaths,
  state: RunState,
  facts: Pick<BatchSummary, 'memoryBytes' | 'resumed'>,
): BatchSummary => ({
  output: paths.output,
  series: state.parts.reduce((sum, { series }) => sum + series, 0),
  failed: state.parts.reduce((sum, { failed }) => sum + failed, 0),
  rows: state.parts.reduce((sum, { rows }) => sum + rows, 0),
  parts: state.parts.filter(({ file }) => file !== null).length,
  errors: paths.errors,
  elapsedMs: state.elapsedMs,
  ...facts,
});

/** The run, once its folder is ours. */
const runLocked = async (paths: RunPaths, options: BatchOptions): Promise<BatchSummary> => {
  using database = await openDuckDb({
    temporaryFolder: paths.sorting,
    memoryMegabytes: options.memoryMegabytes ?? DEFAULT_MEMORY_MEGABYTES,
    threads: 2,
  });
  // A query under way ends at once; what waits for it fails, and is told as an interruption.
  const interrupt = (): void => database.connection.interrupt();
  options.signal.addEventListener('abort', interrupt, { once: true });
  const begun = await openRun(database, paths, options);
  const resumed = (begun.state?.parts ?? []).reduce((sum, { series }) => sum + series, 0);
  if (begun.state?.isDone) return summaryOf(paths, begun.state, { memoryBytes: 0, resumed });
  const opened = await openPanel(database, paths, { begun, options });
  const { state, memoryBytes } = await forecastPanel(database, paths, { opened, options });
  await gatherErrors(paths, state);
  const done = { ...state, isDone: true };
  await writeRunState(paths, done);
  await rm(paths.contents, { recursive: true, force: true });
  await rm(paths.sorting, { recursive: true, force: true });
  await rm(paths.staging, { recursive: true, force: true });
  return summaryOf(paths, done, { memoryBytes, resumed });
};

/**
 * Forecasts a panel. Each of its series ends in the Parquet data set or, with a reason, in the errors file; both
 * are the same bytes whatever the number of workers and however often the run was cut off.
 *
 * @throws TollamaError BUSY while another run writes to the folder, INVALID_REQUEST when it holds another run
 */
export const runBatch = async (options: BatchOptions): Promise<BatchSummary> => {
  const { freq } = parseBody(BatchSettings, options.settings);
  if (freq !== 'auto') parseFrequency(freq);
  if (isRemote(options.output)) {
    throw new TollamaError('INVALID_REQUEST', `--output ${options.output} is no folder`, {
      hint: 'write to a folder, then copy it, for instance with `aws s3 sync`',
    });
  }
  const paths = runPaths(options.output);
  await prepareFolder(paths, false);
  using _lock = await lockRun(paths.lock, options.output);
  if (options.isFresh) await prepareFolder(paths, true);
  const { home, output, inputs, queue, workers, settings } = options;
  const { model, horizon } = settings;
  const record = await startRunRecord({
    ...{ home, output, model, horizon, inputs: inputs.map(shownInput), workers },
    queue: queue === undefined ? null : shownAddress(queue),
    signal: options.signal,
  });
  try {
    const onProgress = (at: RunProgress): void => {
      record.progress(at);
      options.onProgress?.(at);
    };
    const summary = await runLocked(paths, { ...options, signal: record.signal, onProgress });
    await record.done(summary);
    return summary;
  } catch (thrown) {
    // A query that was interrupted says so in its own words.
    const error: unknown = record.signal.aborted ? record.signal.reason : thrown;
    await record.failed(error);
    throw error;
  }
};
