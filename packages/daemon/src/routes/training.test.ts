import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobState } from '@tollama/core/training-job';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { exampleBody, startTestDaemon, type TestDaemon } from '../testing/test-daemon.ts';

const checkpoint = join(import.meta.dirname, '../../../../golden/chronos-bolt/tiny-a');

let at: TestDaemon;
beforeEach(async () => {
  at = await startTestDaemon();
  await at.call('POST', '/api/pull', { model: checkpoint, name: 'bolt', stream: false });
});
afterEach(() => at[Symbol.asyncDispose]());

const LENGTH = 300;
const SERIES = {
  id: 'a',
  freq: 'h',
  timestamps: Array.from({ length: LENGTH }, (_, t) => new Date(t * 3_600_000).toISOString()),
  target: Array.from({ length: LENGTH }, (_, t) => Math.sin(t / 4) + 3),
  missing_indices: [5],
};
const OPTIONS = { steps: 6, epochs: 2, batch_size: 4, threads: 1, horizon: 8 };

const start = (fields: Readonly<Record<string, unknown>> = {}) =>
  at.call('POST', '/api/train', {
    model: 'bolt',
    name: 'waves',
    series: [SERIES],
    options: OPTIONS,
    ...fields,
  });

interface Told {
  readonly names: readonly string[];
  readonly job: JobState;
}

/** Listens until the job has ended. */
const listen = async (id: string, after = 0): Promise<Told> => {
  const response = await fetch(`${at.url}/api/train/${id}/events?after=${after}`);
  const blocks = (await response.text()).split('\n\n').filter((block) => block.includes('data:'));
  const field = (block: string, name: string) =>
    block
      .split('\n')
      .find((line) => line.startsWith(`${name}: `))!
      .slice(name.length + 2);
  return {
    names: blocks.map((block) => field(block, 'event')),
    job: JSON.parse(field(blocks.at(-1)!, 'data')) as JobState,
  };
};

test('a training makes an adapter that forecasts at once', { timeout: 60_000 }, async () => {
  const started = await start();
  expect(started).toMatchObject({ status: 202, body: { name: 'bolt:waves', model: 'bolt' } });
  const { id } = started.body as unknown as JobState;
  const { names, job } = await listen(id);
  expect(names).toContain('training.progress');
  expect(names.filter((name) => name === 'training.epoch')).toHaveLength(2);
  expect(names.at(-1)).toBe('end');
  expect(job).toMatchObject({
    status: 'finished',
    progress: { step: 6, steps: 6, epoch: 2 },
    result: { end: 'finished', trained_parameters: 3200, error: null },
  });
  expect(await at.call('POST', '/v1/forecast', exampleBody({ model: 'bolt:waves' }))).toMatchObject(
    {
      status: 200,
      body: { model: 'bolt:waves' },
    },
  );
  const shown = await at.call('POST', '/api/show', { model: 'bolt:waves' });
  expect(shown.body).toMatchObject({ metadata: { training: { job: id, adapter: 'lora' } } });
  // A second one replaces it; a model that no training made stays.
  await listen(((await start()).body as unknown as JobState).id);
  expect(await at.call('GET', '/api/train')).toMatchObject({ body: { jobs: [{}, { id }] } });
  expect(
    await start({ name: 'bolt', model: null, architecture: { model_type: 'nhits' } }),
  ).toMatchObject({
    status: 409,
  });
});

test('the columns that an architecture names are taken from a table', {
  timeout: 60_000,
}, async () => {
  const rows = SERIES.target.map((value, t) => [SERIES.timestamps[t], value, t % 3, t % 7].join());
  const file = join(at.daemon.context.home.training, 'promo.csv');
  await mkdir(at.daemon.context.home.training, { recursive: true });
  await writeFile(file, ['time,value,promo,unread', ...rows].join('\n'));
  const architecture = {
    ...{ model_type: 'tide', input_size: 16, horizon: 8, hidden_size: 8 },
    future_covariates: ['promo'],
  };
  const table = { series: undefined, data_url: file, ingest: { target_column: 'value' } };
  const started = await start({ model: null, name: 'promo', architecture, ...table });
  expect(started.status).toBe(202);
  const { job } = await listen((started.body as unknown as JobState).id);
  expect(job).toMatchObject({ status: 'finished', result: { error: null } });
  const forecast = (covariates: object) =>
    at.call('POST', '/v1/forecast', {
      model: 'promo',
      horizon: 2,
      series: [{ ...SERIES, ...covariates }],
    });
  const past_covariates = { promo: SERIES.target.map((_, t) => t % 3) };
  const known = { past_covariates, future_covariates: { promo: [0, 1] } };
  expect(await forecast(known)).toMatchObject({ status: 200, body: { model: 'promo' } });
  expect(await forecast({})).toMatchObject({ status: 400 });
});

test('a training is stopped, goes on, and is deleted', { timeout: 60_000 }, async () => {
  const options = { ...OPTIONS, steps: 20_000, epochs: 1000 };
  const { id } = (await start({ options })).body as unknown as JobState;
  const waiting = (await start({ name: 'later' })).body as unknown as JobState;
  expect(waiting.status).toBe('queued');
  expect((await at.call('DELETE', `/api/train/${waiting.id}`)).body).toMatchObject({
    status: 'stopped',
  });
  await at.call('DELETE', `/api/train/${id}`);
  const { job } = await listen(id);
  expect(job).toMatchObject({ status: 'stopped', result: { output: null } });
  expect(await at.call('POST', `/api/train/${id}/resume`)).toMatchObject({ status: 200 });
  await at.call('DELETE', `/api/train/${id}`);
  expect((await listen(id)).job.status).toBe('stopped');
  expect(await at.call('DELETE', `/api/train/${id}?purge=true`)).toMatchObject({
    body: { deleted: true },
  });
  expect(await at.call('GET', `/api/train/${id}`)).toMatchObject({ status: 404 });
  await expect(access(join(at.daemon.context.home.training, id))).rejects.toThrow();
});

test.each([
  [{ model: 'nope' }, 404, "model 'nope' is not installed"],
  [{ model: 'seasonal-naive' }, 400, 'has no weights to train'],
  [{ series: undefined }, 400, 'give either series or data_url'],
  [{ options: { rank: 0 } }, 400, 'rank'],
  [{ name: 'a/b' }, 400, 'invalid model name'],
])('%j is refused', async (fields, status, message) => {
  const answer = await start(fields);
  expect(answer.status).toBe(status);
  expect(JSON.stringify(answer.body)).toContain(message);
});

test('series that are too short fail with what is needed', { timeout: 60_000 }, async () => {
  const short = {
    ...SERIES,
    timestamps: SERIES.timestamps.slice(0, 12),
    target: SERIES.target.slice(0, 12),
  };
  const { id } = (await start({ series: [short] })).body as unknown as JobState;
  const { job } = await listen(id);
  expect(job).toMatchObject({ status: 'failed', result: { error: { code: 'INVALID_INPUT' } } });
  expect(job.result!.error!.message).toContain('the longest of 1 series has 12 points');
});

test('the TimeGPT route tunes by the same jobs', { timeout: 60_000 }, async () => {
  const values = SERIES.target;
  const body = {
    model: 'bolt',
    freq: 'h',
    series: { y: values, sizes: [values.length], X: null, X_future: null },
    finetune_steps: 3,
    output_model_id: 'mine',
  };
  expect(await at.call('POST', '/v2/finetune', body)).toMatchObject({
    status: 200,
    body: { finetuned_model_id: 'mine' },
  });
  const ask = { ...body, h: 4, finetuned_model_id: 'mine', finetune_steps: 0 };
  const { status, body: answer } = await at.call('POST', '/v2/forecast', ask);
  expect([status, (answer as unknown as { mean: number[] }).mean.length]).toEqual([200, 4]);
  expect(await at.call('GET', '/api/train')).toMatchObject({ body: { jobs: [] } });
});
