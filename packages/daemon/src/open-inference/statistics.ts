/** Counts and durations of inferences by model, as the statistics extension and Triton's metrics tell them. */
import { Counter, type Registry } from 'prom-client';
import { VERSION_NUMBER } from './signature.ts';

/** Durations of one inference, in nanoseconds. */
export interface InferenceTimes {
  /** Waiting for a place, for the model to load, and the way to its process and back. */
  readonly queue: number;
  readonly compute_input: number;
  readonly compute_infer: number;
  readonly compute_output: number;
}

interface Sum {
  count: number;
  ns: number;
}

const PHASES = ['queue', 'compute_input', 'compute_infer', 'compute_output'] as const;

interface ModelSums {
  lastMs: number;
  readonly success: Sum;
  readonly fail: Sum;
  readonly phases: Readonly<Record<(typeof PHASES)[number], Sum>>;
}

const none = (): Sum => ({ count: 0, ns: 0 });

const add = (sum: Sum, ns: number): void => {
  sum.count++;
  sum.ns += Math.max(0, Math.round(ns));
};

const emptySums = (): ModelSums => ({
  lastMs: 0,
  success: none(),
  fail: none(),
  phases: { queue: none(), compute_input: none(), compute_infer: none(), compute_output: none() },
});

const counters = (registry: Registry) => {
  const counter = (name: string, help: string): Counter<'model' | 'version'> =>
    new Counter({ name, help, labelNames: ['model', 'version'], registers: [registry] });
  const duration = (name: string): Counter<'model' | 'version'> =>
    counter(`nv_inference_${name}_duration_us`, `Cumulative ${name} time in microseconds`);
  return {
    success: counter('nv_inference_request_success', 'Inference requests that were answered'),
    failure: counter('nv_inference_request_failure', 'Inference requests that failed'),
    count: counter('nv_inference_count', 'Inferences'),
    executions: counter('nv_inference_exec_count', 'Runs of models'),
    request: duration('request'),
    queue: duration('queue'),
    compute_input: duration('compute_input'),
    compute_infer: duration('compute_infer'),
    compute_output: duration('compute_output'),
  };
};

export class InferenceStatistics {
  readonly #models = new Map<string, ModelSums>();
  readonly #counters: ReturnType<typeof counters>;

  constructor(registry: Registry) {
    this.#counters = counters(registry);
  }

  #of(model: string): ModelSums {
    const known = this.#models.get(model);
    if (known) return known;
    const sums = emptySums();
    this.#models.set(model, sums);
    return sums;
  }

  succeeded(model: string, times: InferenceTimes): void {
    const sums = this.#of(model);
    const labels = { model, version: VERSION_NUMBER };
    const total = PHASES.reduce((sum, phase) => sum + times[phase], 0);
    sums.lastMs = Date.now();
    add(sums.success, total);
    for (const phase of PHASES) {
      add(sums.phases[phase], times[phase]);
      this.#counters[phase].inc(labels, Math.max(0, times[phase] / 1000));
    }
    this.#counters.request.inc(labels, total / 1000);
    for (const name of ['success', 'count', 'executions'] as const)
      this.#counters[name].inc(labels);
  }

  failed(model: string, ns: number): void {
    add(this.#of(model).fail, ns);
    this.#counters.failure.inc({ model, version: VERSION_NUMBER });
  }

  /** One model's entry of `model_stats`; zeros for a model that was never asked. */
  of(model: string) {
    const { lastMs, success, fail, phases } = this.#models.get(model) ?? emptySums();
    return {
      name: model,
      version: VERSION_NUMBER,
      last_inference: lastMs,
      inference_count: success.count,
      execution_count: success.count,
      inference_stats: { success, fail, ...phases, cache_hit: none(), cache_miss: none() },
      batch_stats: [],
    };
  }
}
