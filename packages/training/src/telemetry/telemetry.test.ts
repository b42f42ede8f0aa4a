import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withFolder } from '@tollama/graph/testing/run-graph';
import { expect, test } from 'vitest';
import { EventLog } from './event-log.ts';
import { prometheusText } from './prometheus.ts';
import { Telemetry } from './telemetry.ts';

const telemetryOf = (lastSeq = 0): Telemetry => {
  let ms = 100;
  return new Telemetry({
    runId: 'run',
    lastSeq,
    now: () => ms++,
    wall: () => new Date('2026-01-02T03:04:05Z'),
  });
};

test('events bear number, time and place', () => {
  const telemetry = telemetryOf();
  const heard: unknown[] = [];
  const stop = telemetry.listen((event) => heard.push(event));
  telemetry.at(2, 7);
  telemetry.emit('tolaria.epoch_budget_exceeded', 'warning', { ms: 12 });
  stop();
  telemetry.emit('unheard', 'info');
  expect(heard).toEqual([
    {
      seq: 1,
      at_ms: 1,
      wall: '2026-01-02T03:04:05.000Z',
      run_id: 'run',
      epoch: 2,
      step: 7,
      name: 'tolaria.epoch_budget_exceeded',
      level: 'warning',
      attributes: { ms: 12 },
    },
  ]);
});

test('a journal goes on after a crash in the middle of a line', async () => {
  await withFolder(async (folder) => {
    const path = join(folder, 'events.jsonl');
    {
      await using log = await EventLog.open(path);
      const telemetry = telemetryOf();
      telemetry.listen((event) => log.append(event));
      telemetry.emit('a', 'info');
      telemetry.emit('b', 'critical');
    }
    await appendFile(path, '{"seq":3,"na');
    {
      await using log = await EventLog.open(path);
      expect(log.lastSeq).toBe(2);
      const telemetry = telemetryOf(log.lastSeq);
      telemetry.listen((event) => log.append(event));
      telemetry.emit('c', 'info');
    }
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).seq)).toEqual([1, 2, 3]);
  });
});

test('metrics as Prometheus reads them', () => {
  const { metrics } = telemetryOf();
  metrics.count('kasmina.prefetch.requests_total', 2, { status: 'ready' });
  metrics.set('tolaria.training.loss', 0.5);
  metrics.set('tolaria.training.mase', Number.NaN);
  metrics.observe('tamiyo.inference.latency_ms', 30);
  const text = prometheusText(metrics);
  expect(text).toContain('# TYPE kasmina_prefetch_requests_total counter\n');
  expect(text).toContain('kasmina_prefetch_requests_total{status="ready"} 2\n');
  expect(text).toContain('tolaria_training_loss 0.5\n');
  expect(text).not.toContain('mase');
  expect(text).toContain('tamiyo_inference_latency_seconds_bucket{le="0.025"} 0\n');
  expect(text).toContain('tamiyo_inference_latency_seconds_bucket{le="0.045"} 1\n');
  expect(text).toContain('tamiyo_inference_latency_seconds_sum 0.03\n');
  expect(text).toContain('tamiyo_inference_latency_seconds_count 1\n');
});
