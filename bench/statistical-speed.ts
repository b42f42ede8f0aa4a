/**
 * Series a second of a statistical model on simulated hourly series of M4's lengths (700 to 960 points, horizon
 * 48, daily and weekly seasons), each worker on its own core.
 *
 *   node bench/statistical-speed.ts [--model auto] [--workers 2] [--series 400]
 */
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { isStatisticalName } from '@tollama/core/statistical';
import {
  forecastStatistical,
  type StatisticalModelName,
} from '../packages/models/src/statistical/index.ts';
import { simulator } from '../packages/models/src/statistical/simulate.ts';

interface Job {
  readonly model: StatisticalModelName;
  readonly series: number;
  readonly seed: number;
}

const LEVELS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

const hourly = (seed: number): Float64Array => {
  const { normal, uniform } = simulator(seed);
  const [daily, weekly] = [5 + 10 * uniform(), 5 * uniform()];
  let level = 0;
  return Float64Array.from({ length: 700 + Math.floor(260 * uniform()) }, (_, t) => {
    level += 0.1 * normal();
    const day = daily * Math.sin((2 * Math.PI * t) / 24);
    return 100 + level + day + weekly * Math.sin((2 * Math.PI * t) / 168) + normal();
  });
};

const forecastAll = (model: StatisticalModelName, all: readonly Float64Array[]): void => {
  for (const values of all) {
    const series = [{ id: '', targets: [values], freq: 'H' }];
    const task = { series, horizon: 48, quantiles: LEVELS, options: {} };
    forecastStatistical(model, task, () => [24, 168]);
  }
};

const work = ({ model, series, seed }: Job): void => {
  const all = Array.from({ length: series }, (_, i) => hourly(seed + i));
  forecastAll(model, all.slice(0, 50)); // until the compiler has seen it
  const started = performance.now();
  forecastAll(model, all);
  parentPort?.postMessage((performance.now() - started) / 1000);
};

const measure = async (): Promise<void> => {
  const { values: options } = parseArgs({
    options: {
      model: { type: 'string', default: 'auto' },
      workers: { type: 'string', default: '2' },
      series: { type: 'string', default: '400' },
    },
  });
  const { model } = options;
  if (!isStatisticalName(model)) throw new Error(`unknown model '${model}'`);
  const [workers, series] = [Number(options.workers), Number(options.series)];
  const rates = await Promise.all(
    Array.from({ length: workers }, (_, k) => {
      const job: Job = { model, series, seed: 1 + k * 100_000 };
      const worker = new Worker(new URL(import.meta.url), { workerData: job });
      return new Promise<number>((resolve, reject) => {
        worker.once('message', (seconds: number) => resolve(series / seconds));
        worker.once('error', reject);
      });
    }),
  );
  const total = rates.reduce((sum, rate) => sum + rate, 0);
  console.log(`${model}: ${total.toFixed(0)} series/s with ${workers} workers`);
};

if (isMainThread) await measure();
else work(workerData as Job);
