/** The SDK against a real daemon; its README compiles and runs; nothing in it needs Node. */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { TollamaClient } from '@tollama/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  exampleBody,
  exampleSeries,
  startTestDaemon,
  type TestDaemon,
} from '../packages/daemon/src/testing/test-daemon.ts';

const ROOT = resolve(import.meta.dirname, '..');

const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
};

let daemon: TestDaemon;
let client: TollamaClient;

beforeAll(async () => {
  daemon = await startTestDaemon();
  client = new TollamaClient({ baseUrl: `${daemon.url}/` });
});
afterAll(() => daemon[Symbol.asyncDispose]());

const series = exampleSeries('s', 28);
const long = exampleBody({ model: 'naive', series: [series] });

describe('the daemon and its models', () => {
  test('health, version, metrics, info', async () => {
    expect(await client.isHealthy()).toBe(true);
    expect(await client.readiness()).toMatchObject({ status: 'ok', healthy: true });
    expect(await client.version()).toMatch(/^\d+\.\d+\.\d+$/);
    expect(await client.metrics()).toContain('tollama_models_loaded');
    expect(await client.info()).toHaveProperty('daemon.version');
  });

  test('a model comes, is used and goes', async () => {
    const statuses = (await collect(client.pull({ model: 'mock' }))).map(({ status }) => status);
    expect(statuses.at(-1)).toBe('success');
    expect((await client.tags()).models.map(({ name }) => name)).toEqual(['mock']);
    expect((await client.models()).installed.map(({ name }) => name)).toContain('mock');
    expect(await client.show('mock')).toMatchObject({ name: 'mock', family: 'mock' });
    expect(await client.capabilities('mock')).toMatchObject({ runtime: { ready: true } });
    expect((await collect(client.verify('mock'))).at(-1)).toMatchObject({ status: 'success' });
    await client.forecast(exampleBody());
    expect((await client.ps()).models.map(({ name }) => name)).toContain('mock');
    expect(await client.unload('mock')).toMatchObject({ status: 'success' });
    expect(await client.copy('mock', 'again')).toMatchObject({ status: 'success' });
    expect(await client.delete('again')).toMatchObject({ deleted: true });
    expect(await client.prune(true)).toMatchObject({ dry_run: true });
    await expect(client.show('again')).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
  });

  test('forecast profiles', async () => {
    const saved = await client.saveModelfile({ name: 'p', profile: { model: 'mock', horizon: 2 } });
    expect(saved.profile.horizon).toBe(2);
    expect((await client.modelfile('p')).name).toBe('p');
    expect((await client.modelfiles()).map(({ name }) => name)).toEqual(['p']);
    await client.deleteModelfile('p');
    await expect(client.modelfile('p')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('forecasts', () => {
  test('whole, as lines, as events', async () => {
    const whole = await client.forecast(exampleBody());
    expect(whole.forecasts[0]!.mean).toEqual([5, 5, 5]);
    const lines = await collect(client.forecastStream(exampleBody()));
    expect(lines.map(({ status }) => status)).toEqual([
      'loading model',
      'running forecast',
      undefined,
    ]);
    expect(lines.at(-1)).toMatchObject({ done: true, response: { forecasts: whole.forecasts } });
    const events = await collect(client.forecastEvents(exampleBody()));
    expect(events.map(({ event }) => event)).toEqual([
      'model_loading',
      'inference_started',
      'series_complete',
      'done',
    ]);
  });

  test('validated, and refused in words', async () => {
    expect(await client.validate(exampleBody())).toMatchObject({ valid: true, errors: [] });
    expect(await client.validate({})).toMatchObject({ valid: false });
    const error = await client.forecast(exampleBody({ horizon: 0 })).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'INVALID_REQUEST' });
    expect(error.message).toContain('horizon');
  });

  test('of files', async () => {
    const rows = series.timestamps.map((day, i) => `${day},${series.target[i]}`);
    const file = new Blob([['ds,y', ...rows].join('\n')]);
    const read = await client.readFile(file, { name: 'sales.csv' });
    expect(read.series[0]!.target).toEqual(series.target);
    const { forecasts } = await client.forecastFile(file, { model: 'naive', horizon: 2 });
    expect(forecasts[0]!.mean).toEqual([28, 28]);
  });

  test('by whichever model fits, and by several', async () => {
    const { model: _, ...open } = long;
    const auto = await client.autoForecast({ ...open, strategy: 'fastest', allow_fallback: true });
    expect(auto.selection.chosen_model).toBe(auto.response.model);
    const stages = await collect(client.progressiveForecast({ ...open, allow_fallback: true }));
    expect(stages.map(({ event }) => event)).toContain('forecast.complete');
    const models = ['naive', 'drift', 'no-such'];
    const { summary, results } = await client.compare({ ...open, models });
    expect(summary).toEqual({ requested_models: 3, succeeded: 2, failed: 1 });
    expect(results[2]!.error).toMatchObject({ category: 'MODEL_MISSING' });
  });

  test('under other circumstances', async () => {
    const transforms = [{ operation: 'add' as const, field: 'target' as const, value: 100 }];
    const whatIf = await client.whatIf({ ...long, scenarios: [{ name: 'more', transforms }] });
    expect(whatIf.results[0]!.response!.forecasts[0]!.mean).toEqual([128, 128, 128]);
    const { horizon: _, ...without } = long;
    const effect = await client.counterfactual({ ...without, intervention_index: 20 });
    expect(effect.results[0]!.direction).toBe('above_counterfactual');
    expect((await client.scenarioTree({ ...long, depth: 1 })).nodes).toHaveLength(4);
  });

  test('analysed, calibrated, reconciled, reported', async () => {
    const { results } = await client.analyze({ series: [series] });
    expect(results[0]!.trend.direction).toBe('up');
    expect((await client.generate({ series: [series], count: 2 })).generated).toHaveLength(2);
    const calibrated = await client.conformal({ ...long, coverage: 0.8 });
    expect(calibrated.calibration).toMatchObject({ coverage: 0.8, method: 'split' });
    const hierarchy = { tree: { total: ['s', 't'] } };
    const both = [series, { ...series, id: 't' }];
    const { forecasts } = await client.reconcile({ ...long, series: both, hierarchy });
    expect(forecasts!.find(({ id }) => id === 'total')!.mean).toEqual([56, 56, 56]);
    expect((await client.pipeline(long)).auto_forecast.response.model).toBe('naive');
    expect((await client.report(long)).baseline?.model).toBe('seasonal-naive');
  });

  test('are counted and told', async () => {
    const listening = collect(client.events({ names: ['forecast.complete'], maxEvents: 1 }));
    // Until the daemon has heard of the listener there is nobody to tell.
    const { events } = daemon.daemon.context;
    const publish = setInterval(() => {
      events.publish('anonymous', 'forecast.complete', { model: 'naive' });
    }, 5);
    const [told] = await listening.finally(() => clearInterval(publish));
    expect(told).toMatchObject({ event: 'forecast.complete', data: { data: { model: 'naive' } } });
    expect((await client.usage()).summary.request_count).toBeGreaterThan(0);
  });
});

test('a call that is taken back throws its reason', async () => {
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(client.forecast(exampleBody(), { signal })).rejects.toThrow('enough');
});

/** Files that run when a module is imported; types are gone by then. */
const runtimeFiles = async (file: string, seen = new Set<string>()): Promise<Set<string>> => {
  if (seen.has(file)) return seen;
  seen.add(file);
  const text = await readFile(file, 'utf8');
  const found = text.matchAll(/^(?:import|export)\s+(?!type\b)[^;]*?from\s+'([^']+)'/gms);
  for (const [, specifier] of found) {
    const target = specifier!.startsWith('.')
      ? resolve(dirname(file), specifier!)
      : createRequire(file).resolve(specifier!);
    await runtimeFiles(target, seen);
  }
  return seen;
};

test('it runs where there is no Node: no module of it is loaded', async () => {
  const files = [...(await runtimeFiles(join(ROOT, 'packages/client/src/index.ts')))];
  expect(files.map((file) => file.slice(file.indexOf('packages/'))).toSorted()).toEqual([
    'packages/client/src/broken-answer.ts',
    'packages/client/src/client.ts',
    'packages/client/src/index.ts',
    'packages/client/src/long-answers.ts',
    'packages/client/src/response-error.ts',
    'packages/client/src/streams.ts',
    'packages/client/src/transport.ts',
    'packages/core/src/errors.ts',
    'packages/core/src/timer.ts',
  ]);
});

test('the examples of the README compile', async () => {
  const readme = await readFile(join(ROOT, 'packages/client/README.md'), 'utf8');
  const examples = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) =>
    code!.replaceAll("'tollama'", "'@tollama/client'"),
  );
  expect(examples.length).toBeGreaterThan(3);
  // Within the repository, where packages are found.
  await mkdir(join(ROOT, 'tmp'), { recursive: true });
  const folder = await mkdtemp(join(ROOT, 'tmp', 'readme-'));
  try {
    for (const [i, code] of examples.entries()) {
      await writeFile(join(folder, `example-${i}.ts`), code);
    }
    const config = { extends: '../../tsconfig.json', include: ['*.ts'] };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    const compiler = createRequire(import.meta.url).resolve('typescript/package.json');
    const tsc = join(dirname(compiler), 'bin/tsc');
    const { stdout, status } = spawnSync(process.execPath, [tsc, '-p', folder], {
      encoding: 'utf8',
    });
    expect(stdout).toBe('');
    expect(status).toBe(0);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
