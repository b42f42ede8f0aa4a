/** The spans of forecasts that shared a run: each in its caller's trace, the run itself linked across them. */
import type { RunnerForecast } from '@tollama/core/forecast-response';
import type { TraceContext } from '@tollama/telemetry/trace-context';
import type { Attributes, Tracer } from '@tollama/telemetry/tracer';
import type { ForecastJob } from './batch.ts';

export interface ForecastTimes {
  /** When the run began, in milliseconds since 1970: before it jobs waited. */
  readonly startMs: number;
  readonly endMs: number;
}

export type ForecastOutcome =
  | { readonly results: readonly RunnerForecast[] }
  | { readonly error: unknown };

const attributesOf = (job: ForecastJob, result: RunnerForecast | undefined): Attributes => {
  const { model, horizon, series } = job.params;
  const { device, precision, batch_series } = result?.usage ?? {};
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
  return {
    'tollama.model': model,
    'tollama.horizon': horizon,
    'tollama.series': series.length,
    'tollama.device': text(device),
    'tollama.precision': text(precision),
    'tollama.batch_series': typeof batch_series === 'number' ? batch_series : undefined,
  };
};

/**
 * Tells of jobs that ran together: `runner forecast` from a line's arrival to its answer, below it `model load` where
 * the model had to be loaded, and `model run`.
 */
export const traceForecasts = (
  tracer: Tracer,
  jobs: readonly ForecastJob[],
  { startMs, endMs }: ForecastTimes,
  outcome: ForecastOutcome,
): void => {
  const error = 'error' in outcome ? outcome.error : undefined;
  const runs: TraceContext[] = [];
  jobs.forEach((job, i) => {
    const { trace } = job;
    if (!trace) return;
    const result = 'results' in outcome ? outcome.results[i] : undefined;
    const loadMs = result?.timing?.model_load_ms ?? 0;
    const attributes = attributesOf(job, result);
    const whole = tracer.start({
      name: 'runner forecast',
      kind: 'server',
      parent: trace.parent,
      startMs: trace.receivedMs,
      attributes: { ...attributes, 'tollama.queue_ms': Math.max(0, startMs - trace.receivedMs) },
    });
    const parent = whole.context;
    if (loadMs >= 1) {
      tracer
        .start({ name: 'model load', parent, startMs, attributes })
        .end({ endMs: startMs + loadMs });
    }
    const run = tracer.start({
      name: 'model run',
      parent,
      startMs: startMs + loadMs,
      attributes,
      links: [...runs],
    });
    runs.push(run.context);
    run.end({ error, endMs });
    whole.end({ error, endMs });
  });
};
