import { openTracer } from '@tollama/telemetry';
import { openFakeCollector } from '@tollama/telemetry/testing/fake-collector';
import { expect, test } from 'vitest';
import type { TrainingEvent } from './event.ts';
import { traceRun } from './trace-run.ts';

const event = (name: string, level: TrainingEvent['level']): TrainingEvent => ({
  seq: 1,
  at_ms: 0,
  wall: '',
  run_id: 'run',
  epoch: 2,
  step: 20,
  name,
  level,
  attributes: { loss: 0.5, mase: null },
});

test('a run, its epochs and what went wrong are spans of one trace', async () => {
  await using collector = await openFakeCollector();
  const trace = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
    await using tracer = (await openTracer('tollama-train', env))!;
    const run = traceRun(tracer, 'job', trace);
    run.listen(event('training.progress', 'info'));
    run.listen(event('training.epoch', 'info'));
    run.listen(event('tolaria.step_refused', 'warning'));
    run.listen(event('tolaria.emergency.halt', 'critical'));
    run.end();
  }
  const byName = new Map(collector.spans.map((span) => [span.name, span]));
  expect([...byName.keys()].toSorted()).toEqual([
    'tolaria.emergency.halt',
    'tolaria.step_refused',
    'tolaria.training',
    'training.epoch',
  ]);
  const root = byName.get('tolaria.training')!;
  expect(root).toMatchObject({ traceId: 'a'.repeat(32), parentSpanId: 'b'.repeat(16) });
  expect(byName.get('training.epoch')).toMatchObject({
    parentSpanId: root.spanId,
    attributes: { 'tolaria.epoch': 2, 'tolaria.loss': 0.5 },
  });
  expect(byName.get('tolaria.emergency.halt')!.status).toBe(2);
});
