import type { TraceContext } from '@tollama/telemetry/trace-context';
import type { SpanStart, Tracer } from '@tollama/telemetry/tracer';
import { expect, test } from 'vitest';
import type { ForecastJob } from './batch.ts';
import { ForecastParams } from './forecast-params.ts';
import { traceForecasts } from './forecast-trace.ts';

interface Recorded extends SpanStart {
  readonly context: TraceContext;
  ended?: { readonly error?: unknown; readonly endMs?: number } | undefined;
}

const recorder = () => {
  const spans: Recorded[] = [];
  const tracer: Tracer = {
    start: (span) => {
      const traceId = span.parent?.traceId ?? 'new';
      const recorded: Recorded = {
        ...span,
        context: { traceId, spanId: `s${spans.length}`, flags: 1 },
      };
      spans.push(recorded);
      return {
        context: recorded.context,
        set: () => {},
        end: (how) => {
          recorded.ended = how;
        },
      };
    },
    flush: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
  return { spans, tracer };
};

const job = (id: string, traceId?: string): ForecastJob => ({
  kind: 'forecast',
  id,
  params: ForecastParams.parse({
    model: 'm',
    horizon: 3,
    series: [{ id: 's', timestamps: ['2024-01-01'], target: [1] }],
  }),
  trace: traceId ? { parent: { traceId, spanId: 'p', flags: 1 }, receivedMs: 90 } : undefined,
});

const TIMES = { startMs: 100, endMs: 150 };

test('requests of one run each have their own trace, linked by the run', () => {
  const { spans, tracer } = recorder();
  const timing = { model_load_ms: 20, inference_ms: 30 };
  const result = { model: 'm', forecasts: [], usage: { batch_series: 3 }, timing };
  const jobs = [job('1', 'a'), job('2'), job('3', 'b')];
  traceForecasts(tracer, jobs, TIMES, { results: [result, result, result] });
  expect(spans.map(({ name, context }) => `${context.traceId} ${name}`)).toEqual([
    'a runner forecast',
    'a model load',
    'a model run',
    'b runner forecast',
    'b model load',
    'b model run',
  ]);
  const [whole, load, run, , , other] = spans;
  expect(whole).toMatchObject({ startMs: 90, attributes: { 'tollama.queue_ms': 10 } });
  expect(load).toMatchObject({ startMs: 100, ended: { endMs: 120 }, parent: whole!.context });
  expect(run).toMatchObject({ startMs: 120, ended: { endMs: 150 }, parent: whole!.context });
  expect(other!.links).toEqual([run!.context]);
});

test('a failed run is told with its reason', () => {
  const { spans, tracer } = recorder();
  const error = new Error('no');
  traceForecasts(tracer, [job('1', 'a')], TIMES, { error });
  expect(spans.map(({ name, ended }) => [name, ended?.error])).toEqual([
    ['runner forecast', error],
    ['model run', error],
  ]);
});
