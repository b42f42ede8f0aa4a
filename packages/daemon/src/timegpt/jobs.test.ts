import { expect, test } from 'vitest';
import { Jobs } from './jobs.ts';
import { RepeatedAnswers } from './repeated-answers.ts';

const order = (work: (signal: AbortSignal) => Promise<unknown>, timeoutMs?: number) => ({
  keyId: 'k',
  task: 'forecast',
  timeoutMs,
  work,
});

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });

test('a job is seen by whoever asked for it alone', () => {
  using jobs = new Jobs();
  const { job_id } = jobs.submit(order(async () => 1));
  expect(jobs.get(job_id, 'k').job_id).toBe(job_id);
  expect(() => jobs.get(job_id, 'other')).toThrow(/not known/);
});

test('a cancelled job stays cancelled and frees its place', async () => {
  using jobs = new Jobs({ parallel: 1 });
  const first = jobs.submit(order(aborted));
  const done = Promise.withResolvers<void>();
  const second = jobs.submit(order(async () => done.resolve()));
  expect(jobs.get(second.job_id, 'k').status).toBe('pending');
  expect(jobs.cancel(first.job_id, 'k')).toEqual({ isOver: false });
  await done.promise;
  expect(jobs.get(first.job_id, 'k')).toMatchObject({ status: 'cancelled', result: null });
  expect(jobs.cancel(first.job_id, 'k')).toEqual({ isOver: true });
});

test('a job that takes too long fails with words; one too many is refused', async () => {
  using jobs = new Jobs({ parallel: 1, waiting: 0 });
  const ended = Promise.withResolvers<void>();
  const late = jobs.submit(order((signal) => aborted(signal).finally(() => ended.resolve()), 1));
  expect(() => jobs.submit(order(async () => 1))).toThrow(/wait already/);
  await ended.promise;
  await new Promise((resolve) => setImmediate(resolve));
  expect(jobs.get(late.job_id, 'k')).toMatchObject({
    status: 'failed',
    error: { detail: expect.stringContaining('longer than 0.001 s') },
  });
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
