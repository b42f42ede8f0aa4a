/** One model on one configuration: metrics, coverage, and the losses of each instance. */
import { forecastValues } from './forecast-values.ts';
import { type Instance, testInstances } from './instances.ts';
import {
  addInstance,
  addSums,
  coverages,
  emptySums,
  LOSS_LEVELS,
  METRIC_COLUMNS,
  type Metrics,
  metricsOf,
} from './metrics.ts';
import { fillMissing, type OnMissing, type Predictor, predictBatch } from './predictor.ts';
import { seasonalError } from './protocol.ts';
import type { Configuration } from './read-data.ts';

export interface ConfigurationResult {
  readonly configuration: string;
  readonly domain: string;
  readonly variates: number;
  readonly horizon: number;
  readonly windows: number;
  readonly metrics: Metrics;
  /** Share of labels at or below the forecast, per level 0.1 to 0.9. */
  readonly coverage: readonly number[];
  /**
   * [windows] mean quantile loss, each instance scaled by its seasonal error, over the series of a window;
   * NaN for a window without a label. What comparisons of two models stand on.
   */
  readonly windowLosses: readonly number[];
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

/** A mean that leaves out what is not finite. */
class WindowMean {
  #sum = 0;
  #count = 0;

  add(value: number): void {
    if (!Number.isFinite(value)) return;
    this.#sum += value;
    this.#count++;
  }

  get value(): number {
    return this.#sum / this.#count;
  }
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
  const total = emptySums();
  const losses = Array.from({ length: windows }, () => new WindowMean());
  let replaced = 0;
  let done = 0;
  const score = (one: Instance, stored: Parameters<typeof forecastValues>[0]): void => {
    const sums = emptySums();
    const scale = seasonalError(one.input, season);
    addInstance(sums, { label: one.label, forecast: forecastValues(stored), seasonalError: scale });
    addSums(total, sums);
    const loss = sums.losses.reduce((a, b) => a + b, 0) / LOSS_LEVELS.length / sums.count;
    losses[one.window]!.add(loss / scale);
  };
  for (const batch of inBatches(testInstances(series, horizon, windows), batchSize)) {
    signal?.throwIfAborted();
    const given = await predictBatch(predictor, batch, configuration, { onMissing, signal });
    const filled = fillMissing(given, batch, configuration, onMissing);
    batch.forEach((one, i) => {
      score(one, filled.forecasts[i]!);
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
    metrics: metricsOf(total),
    coverage: coverages(total),
    windowLosses: losses.map(({ value }) => value),
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
