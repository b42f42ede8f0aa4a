/** Models over the configurations of a folder: resumable, each model loaded once, results as published. */
import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { didYouMean } from '@tollama/core/did-you-mean';
import { TollamaError } from '@tollama/core/errors';
import { isStatisticalName } from '@tollama/core/statistical';
import { VERSION } from '@tollama/core/version';
import { adapterConfigOf } from '@tollama/session/pool/adapter-config';
import { loadStatistics } from '@tollama/session/pool/load-metrics';
import type { ModelPool } from '@tollama/session/pool/model-pool';
import type { ConfigurationSource, DataFile } from './configuration-source.ts';
import { type ConfigurationResult, evaluateConfiguration } from './evaluate-configuration.ts';
import {
  adapterPredictor,
  BASELINE,
  baselinePredictor,
  isBaselineName,
  type OnMissing,
  type Predictor,
} from './predictor.ts';
import { readConfigurations, readDataFile, toConfiguration } from './read-data.ts';
import { fingerprint, openResultStore, pathPart, writeWhole } from './result-store.ts';
import { resultRows, resultsCsv } from './results-csv.ts';

export interface SuiteProgress {
  readonly model: string;
  readonly configuration: string;
  /** Configurations of all models together that are done, and all. */
  readonly done: number;
  readonly total: number;
  /** Instances of the one under way. */
  readonly instances?: { readonly done: number; readonly total: number };
}

export interface SuiteOptions {
  readonly dataFolder: string;
  readonly outputFolder: string;
  /** Adapters of the pool; the baseline is always evaluated, too. */
  readonly models: readonly string[];
  readonly pool: ModelPool;
  /** Names of configurations, or patterns with *; all when absent. */
  readonly configurations?: readonly string[] | undefined;
  readonly onMissing?: OnMissing;
  readonly batchSize?: number;
  /** Computes again what an earlier run left. */
  readonly isFresh?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: SuiteProgress) => void;
}

export interface ModelResults {
  readonly model: string;
  readonly results: readonly ConfigurationResult[];
}

export interface SuiteResult {
  /** In the order of configs.json. */
  readonly configurations: readonly ConfigurationSource[];
  readonly baseline: ModelResults;
  /** As asked, without the baseline unless it was asked for. */
  readonly models: readonly ModelResults[];
  /** Of all models; the file all_results.csv. */
  readonly csvPath: string;
  /** Results that an earlier run had left. */
  readonly reused: number;
}

const matches = (pattern: string, name: string): boolean =>
  new RegExp(
    `^${pattern
      .split('*')
      .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
  ).test(name);

/** Sources that a list of names and patterns chooses, in the file's order. */
export const chooseConfigurations = (
  all: readonly ConfigurationSource[],
  patterns: readonly string[] | undefined,
): readonly ConfigurationSource[] => {
  if (!patterns) return all;
  for (const pattern of patterns) {
    if (all.some(({ name }) => matches(pattern, name))) continue;
    const near = didYouMean(
      pattern,
      all.map(({ name }) => name),
    );
    throw new TollamaError('INVALID_REQUEST', `no configuration is called '${pattern}'`, {
      hint: near ? `did you mean '${near}'?` : 'names stand in configs.json; * matches anything',
    });
  }
  return all.filter(({ name }) => patterns.some((pattern) => matches(pattern, name)));
};

/** config.json beside a model's results, with the fields of the published ones. */
const modelCard = (model: string): string =>
  `${JSON.stringify(
    {
      model,
      model_type: isStatisticalName(model) || model === BASELINE ? 'statistical' : 'zero-shot',
      model_dtype: isStatisticalName(model) || model === BASELINE ? 'float64' : 'float32',
      model_link: '',
      code_link: '',
      org: '',
      testdata_leakage: 'No',
      replication_code_available: 'Yes',
    },
    undefined,
    4,
  )}\n`;

/** The last data file that was read: terms of a data set share one, and stand beside each other. */
const createDataCache = (folder: string) => {
  let last: { readonly file: string; readonly data: DataFile } | undefined;
  return async (file: string): Promise<DataFile> => {
    if (last?.file !== file) last = { file, data: await readDataFile(folder, file) };
    return last.data;
  };
};

interface Run {
  readonly options: SuiteOptions;
  readonly sources: readonly ConfigurationSource[];
  readonly readData: (file: string) => Promise<DataFile>;
  readonly report: (model: string, configuration: string, instances?: [number, number]) => void;
  readonly finished: (isReused: boolean) => void;
}

/** How long a configuration took, for whoever wonders; no part of the results. */
const logRuntime = async (run: Run, model: string, source: ConfigurationSource, ms: number) => {
  const { options } = run;
  const folder = join(options.outputFolder, pathPart(model));
  await mkdir(folder, { recursive: true });
  const line = {
    timestamp: new Date().toISOString(),
    dataset: source.name,
    term: source.name.split('/').at(-1),
    mode: 'standard',
    batch_size: options.batchSize ?? 512,
    forecast_time_ms_total: Math.round(ms * 1000) / 1000,
    ...loadStatistics(),
  };
  await appendFile(join(folder, 'runtime_stats.jsonl'), `${JSON.stringify(line)}\n`);
};

/** A predictor that takes its adapter from the pool when the first configuration needs it. */
const predictorOf = (pool: ModelPool, model: string): Predictor => {
  if (model === BASELINE) return baselinePredictor;
  return async (instances, configuration, signal) =>
    adapterPredictor(await pool.acquire(model))(instances, configuration, signal);
};

/** What tells whether results of before are of the same weights; null where the name says it all. */
const identityOf = async ({ config }: ModelPool, model: string): Promise<string | null> => {
  const { modelName } = adapterConfigOf(model, config);
  return (await config.backend.identityOf?.(modelName)) ?? null;
};

const evaluateModel = async (run: Run, model: string): Promise<ModelResults> => {
  const { outputFolder, pool, signal, onMissing = 'raise', batchSize } = run.options;
  const store = openResultStore(outputFolder, model);
  const predictor = predictorOf(pool, model);
  const results: ConfigurationResult[] = [];
  const identity = model === BASELINE ? null : await identityOf(pool, model);
  for (const source of run.sources) {
    signal?.throwIfAborted();
    run.report(model, source.name);
    const data = await run.readData(source.file);
    const settings = model === BASELINE ? {} : pool.config.adapterKwargsByAdapter[model];
    const facts = [VERSION, model, settings, source, data.digest, onMissing];
    const print = fingerprint(identity === null ? facts : [...facts, identity]);
    const stored = run.options.isFresh ? undefined : await store.read(source.name, print);
    if (stored) {
      results.push(stored);
    } else {
      const started = performance.now();
      const result = await evaluateConfiguration(toConfiguration(source, data), predictor, {
        onMissing,
        signal,
        ...(batchSize !== undefined && { batchSize }),
        onProgress: (done, total) => run.report(model, source.name, [done, total]),
      });
      await store.write(result, print);
      await logRuntime(run, model, source, performance.now() - started);
      results.push(result);
    }
    run.finished(stored !== undefined);
  }
  const folder = join(outputFolder, pathPart(model));
  await writeWhole(join(folder, 'all_results.csv'), resultsCsv(resultRows(model, results)));
  await writeWhole(join(folder, 'config.json'), modelCard(model));
  return { model, results };
};

/**
 * Evaluates models on the configurations of a folder. What an earlier run finished is not computed again;
 * `all_results.csv` is the same file, byte for byte, whether or not a run was cut off.
 *
 * @throws TollamaError INVALID_INPUT for data that cannot be read, INVALID_REQUEST for an unknown configuration
 */
export const runSuite = async (options: SuiteOptions): Promise<SuiteResult> => {
  const { dataFolder, outputFolder, onProgress } = options;
  const sources = chooseConfigurations(
    await readConfigurations(dataFolder),
    options.configurations,
  );
  const asked = [...new Set(options.models.map((m) => (isBaselineName(m) ? BASELINE : m)))];
  const all = [BASELINE, ...asked.filter((model) => model !== BASELINE)];
  let done = 0;
  let reused = 0;
  const run: Run = {
    options,
    sources,
    readData: createDataCache(dataFolder),
    report: (model, configuration, instances) =>
      onProgress?.({
        model,
        configuration,
        done,
        total: all.length * sources.length,
        ...(instances && { instances: { done: instances[0], total: instances[1] } }),
      }),
    finished: (isReused) => {
      done++;
      if (isReused) reused++;
    },
  };
  const results = new Map<string, ModelResults>();
  for (const model of all) results.set(model, await evaluateModel(run, model));
  const models = asked.map((model) => results.get(model)!);
  const csvPath = join(outputFolder, 'all_results.csv');
  const rows = models.flatMap(({ model, results: own }) => resultRows(model, own));
  await writeWhole(csvPath, resultsCsv(rows));
  return { configurations: sources, baseline: results.get(BASELINE)!, models, csvPath, reused };
};
