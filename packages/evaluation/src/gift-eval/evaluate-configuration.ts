/** One model on one configuration: metrics, coverage, and the losses of each instance. */
import { testInstances } from './instances.ts';
import { METRIC_COLUMNS, type Metrics } from './metrics.ts';
import { fillMissing, type OnMissing, type Predictor, predictBatch } from './predictor.ts';
import { seasonalError } from './protocol.ts';
import type { Configuration } from './read-data.ts';
import { type Scores, Scoring } from './scoring.ts';

export interface ConfigurationResult extends Scores {
  readonly configuration: string;
  readonly domain: string;
  readonly variates: number;
  readonly horizon: number;
  readonly windows: number;
  /** Instances whose forecast the baseline had to give. */
  readonly replaced: number;
}

export interface EvaluateOptions {
  readonly onMissing?: OnMissing;
  /** Instances of one call to the model. */
  readonly batchSize?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (done: number, total: number) => void;
}

const BATCH_SIZE = 512;

function* inBatches<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let batch: T[] = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/**
 * Forecasts all test instances and scores them in one pool; the size of batches does not change the result.
 *
 * @throws TollamaError of the model; RUNNER_ERROR for a missing forecast unless seasonal naive may stand in
 */
export const evaluateConfiguration = async (
  configuration: Configuration,
  predictor: Predictor,
  options: EvaluateOptions = {},
): Promise<ConfigurationResult> => {
  const { onMissing = 'raise', batchSize = BATCH_SIZE, signal, onProgress } = options;
  const { name, series, horizon, windows, season, domain, variates } = configuration;
  const scoring = new Scoring(windows);
  let replaced = 0;
  let done = 0;
  for (const batch of inBatches(testInstances(series, horizon, windows), batchSize)) {
    signal?.throwIfAborted();
    const given = await predictBatch(predictor, batch, configuration, { onMissing, signal });
    const filled = fillMissing(given, batch, configuration, onMissing);
    batch.forEach(({ window, input, label }, i) => {
      const stored = filled.forecasts[i]!;
      scoring.add({ window, label, stored, seasonalError: seasonalError(input, season) });
    });
    replaced += filled.replaced;
    done += batch.length;
    onProgress?.(done, series.length * windows);
  }
  return {
    configuration: name,
    domain,
    variates,
    horizon,
    windows,
    ...scoring.scores(),
    replaced,
  };
};

const numberOrNull = (value: number): number | null => (Number.isFinite(value) ? value : null);
const orNaN = (value: unknown): number => (typeof value === 'number' ? value : Number.NaN);

/** JSON has no NaN. */
export const toPlain = (result: ConfigurationResult): Readonly<Record<string, unknown>> => ({
  ...result,
  metrics: Object.fromEntries(
    METRIC_COLUMNS.map((metric) => [metric, numberOrNull(result.metrics[metric])]),
  ),
  coverage: result.coverage.map(numberOrNull),
  windowLosses: result.windowLosses.map(numberOrNull),
});

/** What `toPlain` gave, its nulls NaN again. */
export const fromPlain = (plain: Readonly<Record<string, unknown>>): ConfigurationResult => {
  const stored = plain as unknown as ConfigurationResult;
  return {
    ...stored,
    metrics: Object.fromEntries(
      METRIC_COLUMNS.map((metric) => [metric, orNaN(stored.metrics[metric])]),
    ) as Metrics,
    coverage: stored.coverage.map(orNaN),
    windowLosses: stored.windowLosses.map(orNaN),
  };
};
