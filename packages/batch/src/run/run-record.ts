/** What a run tells of itself in the state folder, so that a daemon shows it, and what it is asked there. */
import { createHash } from 'node:crypto';
import { access, mkdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import {
  BATCH_BEAT_MS,
  type BatchRun,
  type BatchState,
  batchFolder,
  batchRecordPath,
  batchStopPath,
} from '@tollama/core/batch-run';
import { TollamaError, toTollamaError } from '@tollama/core/errors';
import { type RunProgress, writeWhole } from './run-folder.ts';

/** Of the machine and the folder. */
export const batchIdOf = (output: string): string =>
  createHash('sha256')
    .update(JSON.stringify([hostname(), resolve(output)]))
    .digest('hex')
    .slice(0, 16);

export interface RunRecordOptions
  extends Pick<BatchRun, 'model' | 'horizon' | 'inputs' | 'output' | 'workers' | 'queue'> {
  /** The state folder; undefined: nothing is told. */
  readonly home: string | undefined;
  readonly signal: AbortSignal;
}

export interface RunRecord {
  /** Aborted by the caller's signal, or because somebody asked the run to stop. */
  readonly signal: AbortSignal;
  progress(at: RunProgress): void;
  done(counts: Pick<RunProgress, 'series' | 'failed'>): Promise<void>;
  failed(error: unknown): Promise<void>;
}

const stopped = (output: string): TollamaError =>
  new TollamaError('INTERRUPTED', `the run of ${output} was asked to stop`, {
    hint: 'the same command goes on with it',
  });

const failureOf = (error: unknown): BatchRun['error'] => {
  const { code, message, hint } = toTollamaError(error);
  return { code, message, ...(hint !== undefined && { hint }) };
};

/** Whatever an abort breaks off on its way, the run was stopped. */
const endOf = (signal: AbortSignal): BatchState => (signal.aborted ? 'stopped' : 'failed');

const firstRecord = (options: RunRecordOptions): BatchRun => {
  const { model, horizon, inputs, output, workers, queue } = options;
  const now = new Date().toISOString();
  return {
    ...{ id: batchIdOf(output), status: 'planning', model, horizon, inputs },
    ...{ output: resolve(output), host: hostname(), pid: process.pid, workers, queue },
    ...{ started_at: now, updated_at: now, ended_at: null },
    ...{ series: 0, failed: 0, total: 0, series_per_second: 0, eta_ms: null },
    ...{ memory_bytes: 0, error: null },
  };
};

const untold = (signal: AbortSignal): RunRecord => ({
  signal,
  progress: () => undefined,
  done: async () => {},
  failed: async () => {},
});

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

class WrittenRecord implements RunRecord {
  readonly signal: AbortSignal;
  readonly #home: string;
  readonly #output: string;
  readonly #stop = new AbortController();
  #record: BatchRun;
  #writing: Promise<void> = Promise.resolve();
  #beat: NodeJS.Timeout | undefined;

  constructor(home: string, options: RunRecordOptions) {
    this.#home = home;
    this.#output = options.output;
    this.#record = firstRecord(options);
    this.signal = AbortSignal.any([options.signal, this.#stop.signal]);
  }

  get #stopPath(): string {
    return batchStopPath(this.#home, this.#record.id);
  }

  async start(): Promise<this> {
    await mkdir(batchFolder(this.#home), { recursive: true }).catch(() => undefined);
    await rm(this.#stopPath, { force: true }).catch(() => undefined);
    await this.#write({});
    this.#beat = setInterval(() => {
      this.#writing = this.#writing.then(async () => {
        if (await isThere(this.#stopPath)) this.#stop.abort(stopped(this.#output));
        await this.#write({});
      });
    }, BATCH_BEAT_MS);
    this.#beat.unref();
    return this;
  }

  progress({ series, failed, total, seriesPerSecond, etaMs, memoryBytes }: RunProgress): void {
    this.#record = {
      ...{ ...this.#record, status: 'running', series, failed, total },
      ...{ series_per_second: seriesPerSecond, eta_ms: etaMs, memory_bytes: memoryBytes },
    };
  }

  done({ series, failed }: Pick<RunProgress, 'series' | 'failed'>): Promise<void> {
    return this.#end({ status: 'done', series, failed, total: series });
  }

  failed(error: unknown): Promise<void> {
    const status = endOf(this.signal);
    return this.#end({ status, error: status === 'failed' ? failureOf(error) : null });
  }

  async #write(change: Partial<BatchRun>): Promise<void> {
    this.#record = { ...this.#record, ...change, updated_at: new Date().toISOString() };
    const text = `${JSON.stringify(this.#record, null, 2)}\n`;
    const path = batchRecordPath(this.#home, this.#record.id);
    await writeWhole(path, text).catch(() => undefined);
  }

  async #end(change: Partial<BatchRun>): Promise<void> {
    clearInterval(this.#beat);
    await this.#writing;
    await this.#write({ ...change, ended_at: new Date().toISOString(), eta_ms: null });
    await rm(this.#stopPath, { force: true }).catch(() => undefined);
  }
}

/**
 * Starts to tell. The record is written about once a second as long as the process lives, whether or not chunks come
 * back. That nobody can be told (a state folder that cannot be written) stops no run.
 */
export const startRunRecord = async (options: RunRecordOptions): Promise<RunRecord> => {
  const { home, signal } = options;
  return home === undefined ? untold(signal) : new WrittenRecord(home, options).start();
};
