/** What every queue must do; run over each of them. */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { JobQueue, Lease, QueueOptions } from '../job-queue.ts';

export interface QueueHarness {
  /** A queue of a name; two of the same name are two processes at one queue. */
  open(options: QueueOptions): Promise<JobQueue>;
  /** Lets leases of `leaseMs` run out. */
  expire(leaseMs: number): Promise<void>;
}

const LEASE_MS = 400;
const DEADLINE_MS = 20_000;

/** Asks until there is a job: an engine may need a moment to find that a holder is lost. */
const leaseSoon = async (queue: JobQueue): Promise<Lease> => {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const lease = await queue.lease();
    if (lease) return lease;
    if (performance.now() > deadline) throw new Error('no job was given within the deadline');
    await new Promise<void>((resolve) => {
      setTimeout(resolve, 10);
    });
  }
};

export const describeQueue = (harness: QueueHarness): void => {
  const named = (options: Partial<QueueOptions> = {}): QueueOptions => ({
    name: `test-${randomUUID()}`,
    ...options,
  });

  test('jobs come out in the order in which they came, each once', async () => {
    const options = named();
    await using queue = await harness.open(options);
    await using other = await harness.open(options);
    for (const id of ['a', 'b', 'c']) {
      expect(await queue.enqueue({ id, payload: { of: id } })).toBe('waiting');
    }
    const leases = [await queue.lease(), await other.lease(), await queue.lease()];
    expect(leases.map((lease) => [lease?.id, lease?.payload])).toEqual([
      ['a', { of: 'a' }],
      ['b', { of: 'b' }],
      ['c', { of: 'c' }],
    ]);
    expect(await other.lease()).toBeUndefined();
    expect(await queue.counts()).toMatchObject({ waiting: 0, active: 3 });
  });

  test('the same id is one job, whatever its state', async () => {
    await using queue = await harness.open(named());
    await queue.enqueue({ id: 'same', payload: 1 });
    expect(await queue.enqueue({ id: 'same', payload: 2 })).toBe('waiting');
    const lease = (await queue.lease())!;
    expect(lease.payload).toBe(1);
    expect(await queue.enqueue({ id: 'same', payload: 2 })).toBe('active');
    await queue.finish(lease, { answer: 42 });
    expect(await queue.enqueue({ id: 'same', payload: 2 })).toBe('finished');
    expect(await queue.lease()).toBeUndefined();
  });

  test('progress and results are told to everybody', async () => {
    const options = named();
    await using queue = await harness.open(options);
    await using asking = await harness.open(options);
    await queue.enqueue({ id: 'job', payload: null });
    expect(await asking.result('job')).toMatchObject({ state: 'waiting', progress: null });
    const lease = (await queue.lease())!;
    expect(await queue.progress(lease, { done: 1, total: 2 })).toBe('held');
    expect(await asking.result('job')).toMatchObject({
      state: 'active',
      progress: { done: 1, total: 2 },
      result: null,
    });
    expect(await queue.finish(lease, { rows: [1.5, null, 'x'] })).toBe(true);
    expect(await asking.result('job')).toMatchObject({
      state: 'finished',
      result: { rows: [1.5, null, 'x'] },
      failure: null,
    });
    expect(await asking.result('unheard-of')).toBeUndefined();
    expect(await queue.finish(lease, 'again')).toBe(false);
  });

  test('a job is tried as often as it may be, then it has failed with its reason', async () => {
    await using queue = await harness.open(named());
    await queue.enqueue({ id: 'job', payload: 1, attempts: 2 });
    const failure = { code: 'BUSY', message: 'no room', hint: 'wait' };
    expect(await queue.fail((await queue.lease())!, failure)).toBe(true);
    expect(await queue.result('job')).toMatchObject({ state: 'waiting' });
    await queue.fail((await queue.lease())!, failure);
    expect(await queue.result('job')).toMatchObject({ state: 'failed', failure });
    expect(await queue.lease()).toBeUndefined();
    expect(await queue.counts()).toMatchObject({ failed: 1, waiting: 0 });
    expect(await queue.retry('job')).toBe(true);
    await queue.fail((await queue.lease())!, failure);
    expect((await queue.lease())?.id).toBe('job');
  });

  test('a final failure is not tried again', async () => {
    await using queue = await harness.open(named());
    await queue.enqueue({ id: 'job', payload: 1 });
    const failure = { code: 'INVALID_REQUEST', message: 'no' };
    await queue.fail((await queue.lease())!, failure, true);
    expect(await queue.result('job')).toMatchObject({ state: 'failed', failure });
  });

  test('a job that waits is cancelled at once; one that is held, by its next report', async () => {
    const options = named();
    await using queue = await harness.open(options);
    await using asking = await harness.open(options);
    await queue.enqueue({ id: 'waits', payload: 1 });
    expect(await asking.cancel('waits')).toBe(true);
    expect(await queue.lease()).toBeUndefined();
    await queue.enqueue({ id: 'held', payload: 2 });
    const lease = (await queue.lease())!;
    expect(await asking.cancel('held')).toBe(true);
    expect(await asking.result('held')).toMatchObject({ state: 'cancelled', payload: 2 });
    // Each job is in one state, also while its holder has not reported yet.
    const counts = { waiting: 0, active: 0, finished: 0, failed: 0, cancelled: 2 };
    expect(await asking.counts()).toEqual(counts);
    expect(await queue.progress(lease)).toBe('cancelled');
    expect(await queue.finish(lease, 1)).toBe(false);
    expect(await asking.result('held')).toMatchObject({ state: 'cancelled', result: null });
    expect(await queue.enqueue({ id: 'held', payload: 2 })).toBe('cancelled');
    expect(await queue.counts()).toEqual(counts);
  });

  test('a held job that was cancelled and is tried again goes on where it is', async () => {
    await using queue = await harness.open(named());
    await queue.enqueue({ id: 'job', payload: 1 });
    await queue.lease();
    await queue.cancel('job');
    expect(await queue.retry('job')).toBe(true);
    const { waiting, active, cancelled } = await queue.counts();
    expect([waiting + active, cancelled]).toEqual([1, 0]);
  });

  test('what was cancelled is forgotten after its time', async () => {
    const options = named({ keepMs: LEASE_MS });
    {
      await using queue = await harness.open(options);
      await queue.enqueue({ id: 'job', payload: 1 });
      await queue.cancel('job');
      expect(await queue.result('job')).toMatchObject({ state: 'cancelled' });
    }
    await harness.expire(LEASE_MS);
    await using queue = await harness.open(options);
    expect(await queue.result('job')).toBeUndefined();
    expect(await queue.counts()).toMatchObject({ cancelled: 0 });
    expect(await queue.enqueue({ id: 'job', payload: 2 })).toBe('waiting');
  });

  test('what is over cannot be cancelled, what was cancelled can be tried again', async () => {
    await using queue = await harness.open(named());
    await queue.enqueue({ id: 'job', payload: 'same' });
    expect(await queue.retry('job')).toBe(false);
    await queue.cancel('job');
    expect(await queue.cancel('job')).toBe(false);
    expect(await queue.retry('job')).toBe(true);
    const lease = (await queue.lease())!;
    expect(lease.payload).toBe('same');
    await queue.finish(lease, 1);
    expect(await queue.cancel('job')).toBe(false);
    expect(await queue.retry('job')).toBe(false);
    expect(await queue.cancel('unheard-of')).toBe(false);
    expect(await queue.result('job')).toMatchObject({ state: 'finished', result: 1 });
  });

  test('a lost holder is replaced, and learns that it was', async () => {
    const options = named({ leaseMs: LEASE_MS });
    await using lost = await harness.open(options);
    await using other = await harness.open(options);
    await lost.enqueue({ id: 'job', payload: 1 });
    const first = (await lost.lease())!;
    expect(await other.lease()).toBeUndefined();
    await harness.expire(LEASE_MS);
    const second = await leaseSoon(other);
    expect(second.id).toBe('job');
    expect(second.token).not.toBe(first.token);
    expect(await lost.progress(first, 'mine')).toBe('lost');
    expect(await lost.finish(first, 'mine')).toBe(false);
    expect(await lost.fail(first, { code: 'BUSY', message: 'mine' })).toBe(false);
    expect(await other.finish(second, 'theirs')).toBe(true);
    expect(await lost.result('job')).toMatchObject({ state: 'finished', result: 'theirs' });
  });

  test('a job that loses all its holders has failed', async () => {
    const options = named({ leaseMs: LEASE_MS, mostLosses: 1 });
    await using queue = await harness.open(options);
    await queue.enqueue({ id: 'poison', payload: 1 });
    await leaseSoon(queue);
    await harness.expire(LEASE_MS);
    await leaseSoon(queue);
    await harness.expire(LEASE_MS);
    const deadline = performance.now() + DEADLINE_MS;
    for (;;) {
      expect(await queue.lease()).toBeUndefined();
      const record = await queue.result('poison');
      if (record?.state === 'failed') {
        expect(record.failure?.code).toBe('WORKER_LOST');
        break;
      }
      if (performance.now() > deadline) throw new Error(`still ${record?.state}`);
      await harness.expire(50);
    }
  });

  test('a job that was removed is unknown', async () => {
    await using queue = await harness.open(named());
    await queue.enqueue({ id: 'job', payload: 1 });
    await queue.remove('job');
    expect(await queue.result('job')).toBeUndefined();
    expect(await queue.lease()).toBeUndefined();
    expect(await queue.enqueue({ id: 'job', payload: 2 })).toBe('waiting');
  });

  test('ids that not every queue can keep are refused', async () => {
    await using queue = await harness.open(named());
    for (const id of ['', '17', 'a:b', 'ü', 'x'.repeat(201)]) {
      await expect(queue.enqueue({ id, payload: 1 })).rejects.toMatchObject({
        code: 'INVALID_REQUEST',
      });
    }
  });
};
