import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withFolder } from '@tollama/graph/testing/run-graph';
import { describe, expect, test } from 'vitest';
import { baselineRules } from './baseline.ts';
import { check, exitCodeOf, judge, prefetchRules, type Rule } from './checks.ts';
import type { Environment } from './environment.ts';
import { checkHarnessOptions, HARNESS_DEFAULTS } from './options.ts';
import { markdownReport } from './report.ts';
import type { HarnessResult } from './result.ts';
import { planTurns } from './scenarios/kasmina-prefetch.ts';
import { planFaults } from './scenarios/tamiyo-timeout.ts';
import { appendCsv, CSV_HEADER, csvRows } from './summary-csv.ts';

const ENVIRONMENT: Environment = {
  device: 'cpu',
  node: 'v26',
  onnxruntime: '1.30.0',
  providers: ['cpu'],
  cpu: 'a processor, 2 GHz',
  cores: 2,
  memory_bytes: 2 ** 33,
  hostname: 'host',
  platform: 'linux-x64',
  commit: null,
};

const rule = (over: Partial<Rule> = {}): Rule => ({
  id: 'X',
  metric: 'latency_p95_ms',
  op: '<',
  limit: 45,
  severity: 'critical',
  ...over,
});

const result = (over: Partial<HarnessResult> = {}): HarnessResult => {
  const metrics = over.metrics ?? { latency_p95_ms: 50, evaluations: 3 };
  return {
    schema: 1,
    run_id: 'run-1',
    scenario: 'tamiyo_timeout',
    slug: 'tamiyo_timeout',
    environment: ENVIRONMENT,
    options: {},
    metrics,
    histograms: {},
    verdict: judge([rule({ severity: 'warn' }), rule({ limit: 60 })], metrics),
    telemetry: [],
    details: {
      durations_ms: [],
      tamiyo_evaluations: 3,
      kasmina_commands: 0,
      halted: false,
      concurrency: 1,
      timeout_every: null,
    },
    ...over,
  };
};

describe('verdict', () => {
  test.each([
    [44, 'pass', 0],
    [45, 'warn', 0],
    [60, 'fail', 3],
    [null, 'fail', 3],
    [Number.NaN, 'fail', 3],
  ])('a p95 of %s ms is %s', (value, status, exitCode) => {
    const metrics = { latency_p95_ms: value };
    const verdict = judge([rule({ severity: 'warn' }), rule({ limit: 60 })], metrics);
    expect(verdict.status).toBe(status);
    expect(exitCodeOf(verdict.status, 'critical')).toBe(exitCode);
    expect(exitCodeOf(verdict.status, 'never')).toBe(0);
  });

  test('what was not measured is unknown, and a lesser unknown shows', () => {
    expect(check(rule(), {})).toMatchObject({ value: null, status: 'unknown' });
    expect(judge([rule({ severity: 'warn' })], {}).status).toBe('unknown');
    expect(exitCodeOf('unknown', 'warn')).toBe(3);
    expect(exitCodeOf('warn', 'warn')).toBe(3);
  });

  test('the prefetch band follows the backend', () => {
    const band = (ms: number) => prefetchRules(ms).find(({ op }) => op === 'in')!.limit;
    expect(band(40)).toEqual([35, 60]);
    expect(band(20)).toEqual([15, 30]);
  });
});

describe('baseline', () => {
  const at = (p95: number) =>
    baselineRules({ ...result(), metrics: { latency_p95_ms: p95 } }, ENVIRONMENT);

  test.each([
    [100, 119, 'pass'],
    [100, 121, 'warn'],
    [100, 151, 'fail'],
    [1, 2.9, 'pass'],
    [1, 3.1, 'warn'],
    [1, 6.1, 'fail'],
  ])('from %s ms to %s ms is %s', (before, now, status) => {
    expect(judge(at(before), { latency_p95_ms: now }).status).toBe(status);
  });

  test('holds the restores of a rollback as well, which are a p95 by another name', () => {
    const before = { ...result(), metrics: { restore_fast_ms: 10, restore_full_ms: 20, steps: 3 } };
    const rules = baselineRules(before, ENVIRONMENT);
    expect(new Set(rules.map(({ metric }) => metric))).toEqual(
      new Set(['restore_fast_ms', 'restore_full_ms']),
    );
    expect(judge(rules, { restore_fast_ms: 16, restore_full_ms: 20 }).status).toBe('fail');
  });

  test('of another machine informs only', () => {
    const rules = baselineRules(result(), { ...ENVIRONMENT, cores: 64 });
    const verdict = judge(rules, { latency_p95_ms: 1e6 });
    expect(verdict.status).toBe('pass');
    expect(verdict.checks.every(({ status }) => status === 'info')).toBe(true);
  });
});

describe('files', () => {
  test('rows of two scenarios lie under one header', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'summary.csv');
      await appendCsv(path, result());
      await appendCsv(path, result({ scenario: 'steady_train', metrics: { loss_final: null } }));
      const { readFile } = await import('node:fs/promises');
      expect(await readFile(path, 'utf8')).toBe(
        [
          CSV_HEADER,
          'run-1,tamiyo_timeout,latency_p95_ms,50,ms,< 45,< 60,warn',
          'run-1,tamiyo_timeout,evaluations,3,,,,',
          'run-1,steady_train,loss_final,,,,,',
          '',
        ].join('\n'),
      );
    });
  });

  test('rows never go under a foreign header', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'summary.csv');
      await writeFile(path, 'scenario,latency_mean_ms\n');
      await expect(appendCsv(path, result())).rejects.toThrow('has another header');
    });
  });

  test('a field with a comma is quoted', () => {
    expect(csvRows(result({ scenario: 'a,"b"' }))[0]).toMatch(/^run-1,"a,""b""",/);
  });

  test('the report has its verdict first', () => {
    const text = markdownReport([result(), result({ scenario: 'other' })]);
    expect(text).toMatch(/^\*\*Verdict: warn\*\*\n\na processor, 2 GHz, 2 cores, 8.0 GiB/);
    expect(text).toContain('| latency_p95_ms | 50 ms | < 45 (warn), < 60 (critical) | warn |');
  });
});

describe('plans', () => {
  test.each([1, 2, 7, 8, 32, 33, 100])('%s requests are that many', (requests) => {
    const asked = planTurns(requests).reduce((sum, turn) => sum + (turn === 'pair' ? 2 : 1), 0);
    expect(asked).toBe(requests);
  });

  test('faults are drawn by the seed, at least one of each kind', () => {
    const plan = (seed: number, timeoutRatio = 0.3) =>
      planFaults({ ...HARNESS_DEFAULTS, epochs: 100, seed, timeoutRatio });
    expect(plan(1)).toEqual(plan(1));
    expect(plan(1)).not.toEqual(plan(2));
    const share = plan(1).slice(0, 100).filter(Boolean).length / 100;
    expect(share).toBeGreaterThan(0.15);
    expect(share).toBeLessThan(0.45);
    expect(new Set(planFaults(HARNESS_DEFAULTS))).toEqual(
      new Set(['hangs', 'answers late', 'throws', undefined]),
    );
  });

  test('every n-th call', () => {
    const plan = planFaults({ ...HARNESS_DEFAULTS, epochs: 6, timeoutEvery: 2 });
    expect(plan.slice(0, 6).map(Boolean)).toEqual([false, true, false, true, false, true]);
  });
});

test.each([
  [{ epochs: 0 }, 'epochs = 0'],
  [{ warmup: -1 }, 'warmup = -1'],
  [{ timeoutRatio: 1.5 }, 'timeoutRatio = 1.5'],
  [{ deadlineMs: 0 }, 'deadlineMs = 0'],
  [{ inject: 'nothing' }, 'inject = nothing'],
])('refuses %j', (over, message) => {
  expect(() => checkHarnessOptions('rollback', { ...HARNESS_DEFAULTS, ...over })).toThrow(message);
});
