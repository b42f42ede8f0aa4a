import { expect, test } from 'vitest';
import { judgeCanary } from './gate.ts';
import { CanaryWindows, type WindowEvent } from './windows.ts';

const MINUTE = 60_000;
const event = (changes: Partial<WindowEvent> = {}): WindowEvent => ({
  isError: false,
  isFallback: false,
  isInvalid: false,
  isBreakerOpen: false,
  ms: 10,
  ...changes,
});

test('windows that have ended are told; p95 within 5 %', () => {
  const windows = new CanaryWindows();
  for (let i = 1; i <= 100; i++) windows.record(event({ ms: i, isFallback: i <= 7 }), 0);
  windows.record(event({ isError: true }), 6 * MINUTE);
  expect(windows.data(4 * MINUTE).metrics.p95_latency_ms).toEqual([]);
  const { window_minutes, metrics } = windows.data(10 * MINUTE);
  expect(window_minutes).toBe(5);
  expect(metrics.p95_latency_ms[0]).toBeGreaterThanOrEqual(95);
  expect(metrics.p95_latency_ms[0]).toBeLessThanOrEqual(95 * 1.05);
  expect(metrics.fallback_rate).toEqual([0.07, 0]);
  expect(metrics.error_rate).toEqual([0, 1]);
});

test('a quiet hour passes, an error rate rolls back', () => {
  const windows = new CanaryWindows();
  for (let i = 0; i < 12; i++) windows.record(event(), i * 5 * MINUTE);
  const data = windows.data(60 * MINUTE);
  expect(judgeCanary(data, 'canary_5')).toMatchObject({ windows: 12, gate_passed: true });
  const failing = {
    ...data,
    metrics: { ...data.metrics, error_rate: data.metrics.error_rate.map(() => 0.03) },
  };
  expect(judgeCanary(failing, 'full_100')).toMatchObject({
    gate_passed: false,
    rollback_triggered: true,
    rollback_reasons: ['error_rate>2pct_any_5m'],
  });
});

test('windows of different length are refused by name', () => {
  const windows = new CanaryWindows();
  windows.record(event(), 0);
  const data = windows.data(5 * MINUTE);
  const uneven = { ...data, metrics: { ...data.metrics, error_rate: [0, 0] } };
  expect(() => judgeCanary(uneven, 'canary_5')).toThrow('error_rate has 2 windows');
  expect(() => judgeCanary(new CanaryWindows().data(0), 'canary_5')).toThrow('no window to judge');
});
