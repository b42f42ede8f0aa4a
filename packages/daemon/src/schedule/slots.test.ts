import { expect, test } from 'vitest';
import { Slots } from './slots.ts';

const gate = () => Promise.withResolvers<void>();

test('so many at work, the others in order of arrival', async () => {
  const slots = new Slots({ parallel: 2, queue: 10 });
  const gates = [gate(), gate(), gate(), gate()];
  const started: number[] = [];
  const runs = gates.map((one, i) =>
    slots.run(async () => {
      started.push(i);
      await one.promise;
    }),
  );
  await Promise.resolve();
  expect(started).toEqual([0, 1]);
  gates[1]!.resolve();
  await runs[1];
  await Promise.resolve();
  expect(started).toEqual([0, 1, 2]);
  for (const one of gates) one.resolve();
  await Promise.all(runs);
  expect(started).toEqual([0, 1, 2, 3]);
});

test('a full queue refuses, a failure frees its place, a client that leaves leaves the queue', async () => {
  const slots = new Slots({ parallel: 1, queue: 1 });
  const first = gate();
  const running = slots.run(() => first.promise);
  const leaving = new AbortController();
  const waiting = slots.run(async () => 'never', { signal: leaving.signal });
  await expect(slots.run(async () => 'no')).rejects.toMatchObject({ code: 'BUSY', status: 503 });
  leaving.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'INTERRUPTED' });
  const next = slots.run(async () => 'yes');
  first.reject(new Error('failed'));
  await expect(running).rejects.toThrow('failed');
  expect(await next).toBe('yes');
});

test('those that wait go by their priority, 1 first, then by their arrival', async () => {
  const slots = new Slots({ parallel: 1, queue: 10 });
  const first = gate();
  const started: string[] = [];
  const running = slots.run(() => first.promise);
  const named = [['none'], ['late', 9], ['b', 2], ['zero', 0], ['a', 1], ['b again', 2]] as const;
  const runs = named.map(([name, priority]) =>
    slots.run(
      async () => {
        started.push(name);
      },
      { priority },
    ),
  );
  first.resolve();
  await Promise.all([running, ...runs]);
  expect(started).toEqual(['a', 'b', 'b again', 'none', 'zero', 'late']);
});
