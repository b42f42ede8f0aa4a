/** The scenarios in earnest, at their smallest: what the reference's harness got wrong is asked of each result. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { withFolder } from '@tollama/graph/testing/run-graph';
import { expect, test } from 'vitest';
import { HARNESS_DEFAULTS, type HarnessOptions, type ScenarioName } from './options.ts';
import { percentile } from './percentile.ts';
import type { HarnessResult } from './result.ts';
import { runHarness } from './run-harness.ts';
import { slowEpochs } from './scenarios/steady-train.ts';

/** Runs a scenario and reads what it left. */
const run = (name: ScenarioName, over: Partial<HarnessOptions> = {}) =>
  withFolder(async (outputDir) => {
    const outcome = await runHarness(name, { ...HARNESS_DEFAULTS, outputDir, ...over });
    const read = JSON.parse(await readFile(outcome.path, 'utf8')) as HarnessResult;
    expect(read.metrics).toEqual(outcome.result.metrics);
    return { ...outcome, file: basename(outcome.path) };
  });

/** Checks that did not pass, those of times left out: a test cannot know how busy its machine is. */
const broken = ({ verdict }: HarnessResult): string[] =>
  verdict.checks
    .filter(({ status, metric }) => status === 'fail' && !metric.endsWith('_ms'))
    .map(({ metric }) => metric);

test('steady: no fault, and loss and accuracy of the last epoch', async () => {
  const { result, file } = await run('steady-train', { epochs: 2, emitTelemetry: true });
  expect(file).toBe('steady_train_metrics.json');
  expect(broken(result)).toEqual([]);
  const { metrics, details, environment, telemetry } = result;
  expect(metrics).toMatchObject({ epochs: 2, failed_epochs: 0, policy_failures: 0 });
  expect(metrics.loss_final).toBe((details.losses as number[]).at(-1));
  expect(metrics.loss_final).toBeGreaterThan(0);
  expect(metrics.accuracy_final).toBeGreaterThan(0.5);
  expect(environment.hostname).not.toBe('');
  expect(environment).toHaveProperty('commit');
  expect(environment.providers).toContain(environment.device);
  expect(telemetry.map(({ epoch }) => epoch).slice(0, 3)).toEqual([1, 2, 3]);
});

test('steady: a premise that does not hold fails the run', async () => {
  const { result, exitCode } = await run('steady-train', { epochs: 1, inject: 'tamiyo-error' });
  expect(broken(result)).toEqual(['policy_failures']);
  expect(exitCode).toBe(3);
});

test.each([3, 6, 20, 21, 100])(
  'steady: of %i epochs so many are slow that the p95 is',
  (epochs) => {
    const times = Array.from({ length: epochs }, (_, i) => (i < slowEpochs(epochs) ? 900 : 0));
    expect(percentile(times, 0.95)).toBe(900);
  },
);

test('steady: several faults at once', async () => {
  const inject = 'failed-epoch,tamiyo-error';
  const { result, exitCode } = await run('steady-train', { epochs: 2, inject });
  expect(broken(result)).toEqual(['failed_epochs', 'policy_failures']);
  expect(exitCode).toBe(3);
  await expect(run('rollback', { inject: 'wrong-state,failed-epoch' })).rejects.toThrow(
    /inject = failed-epoch/,
  );
});

test('a device that is not there is refused before anything is measured', async () => {
  await expect(run('steady-train', { device: 'cuda' })).rejects.toMatchObject({
    code: 'INVALID_REQUEST',
  });
});

test('rollback: states really come back, each tier by itself, and the halt leaves the weights alone', async () => {
  const { result, file } = await run('rollback', { epochs: 1 });
  expect(file).toBe('rollback_deadline_metrics.json');
  expect(broken(result)).toEqual([]);
  expect(result.details.outcomes).toEqual({
    fast: ['fast_hit'],
    full: ['full_hit'],
    deadline: ['deadline_exceeded'],
  });
  expect(result.metrics.restore_fast_ms).toBeGreaterThan(0);
  expect(result.metrics.restore_full_ms).not.toBe(result.metrics.restore_fast_ms);
  expect(result.metrics).toMatchObject({ state_equal: 1, rollback_deadline_exceeded: 1 });
});

test('rollback: a deadline holds for the fast tier too, and other failures are not called deadlines', async () => {
  const slow = await run('rollback', { epochs: 1, inject: 'slow-restore' });
  expect(slow.result.details.outcomes).toMatchObject({ fast: ['deadline_exceeded'] });
  expect(slow.result.metrics.restore_fast_ms).toBeNull();
  expect(slow.exitCode).toBe(3);
  const wrong = await run('rollback', { epochs: 1, inject: 'wrong-state' });
  expect(wrong.result.details.outcomes).toMatchObject({ fast: ['failed'] });
  expect(wrong.exitCode).toBe(3);
});

test('tamiyo: what hangs, what is late and what throws is counted, and the run finds back', async () => {
  const { result } = await run('tamiyo-timeout', { epochs: 2, policyDeadlineMs: 60 });
  expect(broken(result)).toEqual([]);
  const { metrics, histograms, details } = result;
  expect(metrics).toMatchObject({ timeouts_uncounted: 0, late_applied: 0, recovered: 1 });
  expect(metrics.timeout_tamiyo).toBeGreaterThanOrEqual(2);
  expect(details.injected).toMatchObject({ throws: 1 });
  expect(histograms['tamiyo.inference.latency_ms']!.count).toBeGreaterThan(0);
  const timeouts = histograms['tolaria.timeout.tamiyo_last_ms']!;
  expect(timeouts.count).toBe(metrics.timeout_tamiyo);
  expect(timeouts.min).toBeGreaterThanOrEqual(59);
});

test('prefetch: concurrency bounds, every request ends, and a backend that is not there is noticed', async () => {
  const small = { requests: 16, concurrency: 2, readyLatencyMs: 40 };
  const { result, file } = await run('kasmina-prefetch', small);
  expect(file).toBe('kasmina_prefetch_metrics.json');
  expect(result.scenario).toBe('kasmina_prefetch_burst');
  expect(broken(result)).toEqual([]);
  const { started, coalesced, cache_hits, requests } = result.metrics;
  expect(started! + coalesced! + cache_hits!).toBe(requests);
  expect(result.details.peak_running).toBe(2);
  const none = await run('kasmina-prefetch', { ...small, inject: 'corrupt-adapter' });
  expect(broken(none.result)).toEqual(['errors']);
});
