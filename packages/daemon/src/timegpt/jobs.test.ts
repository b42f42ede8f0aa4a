import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { skipsRedis, startRedis } from '@tollama/queue/testing/redis-server';
import { afterAll, describe, expect, test } from 'vitest';
import { Activity } from '../activity.ts';
import { openHome } from '../store/home.ts';
import { type JobPlace, jobPlace } from './job-keeping.ts';
import { Jobs } from './jobs.ts';
import { RepeatedAnswers } from './repeated-answers.ts';

const folder = mkdtempSync(join(tmpdir(), 'tollama-jobs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const placeAt = (name: string): JobPlace =>
  jobPlace(openHome(join(folder, name)), { queue: undefined });

const jobsAt = (name: string, options: { parallel?: number; waiting?: number } = {}): Jobs =>
  new Jobs({
    place: placeAt(name),
    log: { warn: () => undefined },
    activity: new Activity(),
    ...options,
  });

const order = (text = '', timeoutMs?: number) => ({
  keyId: 'k',
  task: 'forecast',
  timeoutMs,
  body: Buffer.from(text),
});

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });

const over = async (jobs: Jobs, id: string) => {
  for (;;) {
    const state = await jobs.get(id, 'k');
    if (state.status !== 'pending' && state.status !== 'running') return state;
    await new Promise((resolve) => setImmediate(resolve));
  }
};

test('a job is seen by whoever asked for it alone, for its task', async () => {
  await using jobs = jobsAt('seen');
  jobs.runBy(async ({ body }) => ({ echo: Buffer.from(body).toString() }));
  const { job_id } = await jobs.submit(order('hello'));
  expect(await over(jobs, job_id)).toEqual({
    job_id,
    status: 'succeeded',
    result: { echo: 'hello' },
    error: null,
  });
  await expect(jobs.get(job_id, 'other')).rejects.toThrow(/not known/);
  await expect(jobs.get(job_id, 'k', 'explain')).rejects.toThrow(/not known/);
  await expect(jobs.cancel(job_id, 'other')).rejects.toThrow(/not known/);
});

test('a cancelled job stays cancelled and frees its place', async () => {
  await using jobs = jobsAt('cancelled', { parallel: 1 });
  jobs.runBy(({ body, signal }) => (body.length > 0 ? aborted(signal) : Promise.resolve({})));
  const first = await jobs.submit(order('wait'));
  const second = await jobs.submit(order());
  expect((await jobs.get(second.job_id, 'k')).status).toBe('pending');
  expect(await jobs.cancel(first.job_id, 'k')).toEqual({ isOver: false });
  expect((await over(jobs, second.job_id)).status).toBe('succeeded');
  expect(await jobs.get(first.job_id, 'k')).toMatchObject({ status: 'cancelled', result: null });
  expect(await jobs.cancel(first.job_id, 'k')).toEqual({ isOver: true });
});

test('a job that takes too long fails with words; one too many is refused', async () => {
  await using jobs = jobsAt('late', { parallel: 1, waiting: 0 });
  jobs.runBy(({ signal }) => aborted(signal));
  const late = await jobs.submit(order('', 1));
  await expect(jobs.submit(order())).rejects.toThrow(/wait already/);
  expect(await over(jobs, late.job_id)).toMatchObject({
    status: 'failed',
    error: { detail: expect.stringContaining('longer than 0.001 s') },
  });
});

test('what a stopping daemon had at work has not failed: it is left to the next', async () => {
  const started = Promise.withResolvers<void>();
  let id: string;
  {
    await using jobs = jobsAt('restarted');
    jobs.runBy(({ signal }) => {
      started.resolve();
      return aborted(signal);
    });
    ({ job_id: id } = await jobs.submit(order('again')));
    await started.promise;
  }
  await using keeping = await placeAt('restarted').open();
  expect(await keeping.queue.result(id)).toMatchObject({ state: 'active', failure: null });
});

describe.skipIf(skipsRedis())('on Redis', () => {
  test('a job that one daemon takes in, another does, and any tells', async () => {
    await using server = await startRedis();
    const place = () => jobPlace(openHome(join(folder, 'none')), { queue: server.address });
    const options = { log: { warn: () => undefined }, activity: new Activity() };
    await using asks = new Jobs({ place: place(), ...options });
    await using works = new Jobs({ place: place(), ...options });
    const { job_id } = await asks.submit(order('far'));
    expect(await asks.get(job_id, 'k')).toMatchObject({ status: 'pending' });
    works.runBy(async ({ body }) => ({ echo: Buffer.from(body).toString() }));
    await works.resume();
    const state = await over(asks, job_id);
    expect(state).toMatchObject({ status: 'succeeded', result: { echo: 'far' } });
    await expect(works.get(job_id, 'other')).rejects.toThrow(/not known/);
    expect(await works.get(job_id, 'k')).toEqual(state);
  });
});

test('nothing is opened where there never was a job', async () => {
  let opened = 0;
  const place = placeAt('never');
  const counted = {
    ...place,
    open: () => {
      opened++;
      return place.open();
    },
  };
  const options = { log: { warn: () => undefined }, activity: new Activity() };
  await using jobs = new Jobs({ place: counted, ...options });
  await jobs.resume();
  await expect(jobs.get('00000000-0000-4000-8000-000000000000', 'k')).rejects.toThrow(/not known/);
  expect(opened).toBe(0);
});

test('who asks again joins the work under way, and finds what took long', async () => {
  let now = 0;
  let runs = 0;
  const answers = new RepeatedAnswers({ slowMs: 100, now: () => now });
  const gate = Promise.withResolvers<void>();
  const slow = async () => {
    runs++;
    await gate.promise;
    now += 100;
    return runs;
  };
  const both = [answers.answer(['k', 'body'], slow), answers.answer(['k', 'body'], slow)];
  gate.resolve();
  expect(await Promise.all(both)).toEqual([1, 1]);
  expect(await answers.answer(['k', 'body'], slow)).toBe(1);
  expect(await answers.answer(['other', 'body'], async () => ++runs)).toBe(2);
  expect(await answers.answer(['other', 'body'], async () => ++runs)).toBe(3);
});
