/** Prometheus metrics of the daemon, by the names of the contract (section 3). */
import { VERSION } from '@tollama/core/version';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Endpoints whose forecasts are counted; labels stay bounded. */
export type ForecastEndpoint =
  | 'v1_forecast'
  | 'api_forecast'
  | 'api_auto_forecast'
  | 'api_compare'
  | 'timegpt'
  | 'open_inference';

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Values that are read when somebody asks for the metrics. */
export interface MetricSources {
  readonly modelsLoaded: () => number;
  readonly runnerRestarts: () => number;
  readonly callsInFlight: () => number;
  /** Forecasts of each family: at work, and waiting for a place. */
  readonly queues: () => readonly FamilyQueue[];
  /** Resident memory of the runners that are running, where the system tells it. */
  readonly runnerMemory: () => Promise<readonly (readonly [family: string, bytes: number])[]>;
}

export interface FamilyQueue {
  readonly family: string;
  readonly working: number;
  readonly waiting: number;
}

export interface RunnerObservation {
  readonly family: string;
  readonly runner: string;
  readonly inferenceMs: number;
  readonly loadMs: number;
  readonly peakMemoryMb: number | undefined;
  readonly batchSeries: number | undefined;
}

export interface Metrics {
  forecast(endpoint: ForecastEndpoint, status: number, seconds: number): void;
  runner(observation: RunnerObservation): void;
  /** The text that Prometheus reads. */
  text(): Promise<string>;
  readonly contentType: string;
  /** For parts that have measures of their own. */
  readonly registry: Registry;
}

export const createMetrics = (sources: MetricSources): Metrics => {
  const registry = new Registry();
  const registers = [registry];
  const byRunner = ['family', 'runner'] as const;
  const requests = new Counter({
    name: 'tollama_forecast_requests_total',
    help: 'Forecast requests',
    labelNames: ['endpoint', 'status_class'],
    registers,
  });
  const latency = new Histogram({
    name: 'tollama_forecast_latency_seconds',
    help: 'Time from the request to its answer',
    labelNames: ['endpoint', 'status_class'],
    buckets: SECONDS,
    registers,
  });
  const inference = new Histogram({
    name: 'tollama_runner_inference_seconds',
    help: 'Time of a run of a model',
    labelNames: byRunner,
    buckets: SECONDS,
    registers,
  });
  const load = new Histogram({
    name: 'tollama_runner_model_load_seconds',
    help: 'Time to load a model, of forecasts that had to wait for it',
    labelNames: byRunner,
    buckets: SECONDS,
    registers,
  });
  const memory = new Gauge({
    name: 'tollama_runner_peak_memory_mb',
    help: 'Largest resident memory of a runner process',
    labelNames: byRunner,
    registers,
  });
  const batch = new Histogram({
    name: 'tollama_runner_batch_series',
    help: 'Series that shared a run',
    labelNames: byRunner,
    buckets: [1, 2, 4, 8, 16, 32, 64, 128],
    registers,
  });
  const live = (name: string, help: string, read: () => number): Gauge =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  live('tollama_models_loaded', 'Models that are loaded', sources.modelsLoaded);
  live('tollama_runner_calls_in_flight', 'Calls that wait for a runner', sources.callsInFlight);
  const queue = (name: string, help: string, read: (queue: FamilyQueue) => number): Gauge =>
    new Gauge({
      name,
      help,
      labelNames: ['family'],
      registers,
      collect() {
        for (const one of sources.queues()) this.set({ family: one.family }, read(one));
      },
    });
  queue('tollama_queue_working', 'Forecasts at work', ({ working }) => working);
  queue('tollama_queue_waiting', 'Forecasts that wait for a place', ({ waiting }) => waiting);
  new Gauge({
    name: 'tollama_runner_resident_memory_bytes',
    help: 'Resident memory of a runner process',
    labelNames: ['family'],
    registers,
    async collect() {
      const found = await sources.runnerMemory();
      this.reset();
      for (const [family, bytes] of found) this.set({ family }, bytes);
    },
  });
  let restartsTold = 0;
  new Counter({
    name: 'tollama_runner_restarts_total',
    help: 'Runners started again after they died',
    registers,
    collect() {
      const total = sources.runnerRestarts();
      this.inc(total - restartsTold);
      restartsTold = total;
    },
  });
  new Gauge({
    name: 'tollama_build_info',
    help: 'Version',
    labelNames: ['version'],
    registers,
  }).set({ version: VERSION }, 1);
  collectDefaultMetrics({ register: registry });

  return {
    registry,
    contentType: registry.contentType,
    text: () => registry.metrics(),
    forecast(endpoint, status, seconds) {
      const labels = { endpoint, status_class: `${Math.floor(status / 100)}xx` };
      requests.inc(labels);
      latency.observe(labels, seconds);
    },
    runner({ family, runner, inferenceMs, loadMs, peakMemoryMb, batchSeries }) {
      const labels = { family, runner };
      inference.observe(labels, inferenceMs / 1000);
      load.observe(labels, loadMs / 1000);
      if (peakMemoryMb !== undefined) memory.set(labels, peakMemoryMb);
      if (batchSeries !== undefined) batch.observe(labels, batchSeries);
    },
  };
};
