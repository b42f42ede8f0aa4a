import { expect, test } from 'vitest';
import { KeyedQueue } from './keyed-queue.ts';

const gate = (): { readonly opened: Promise<void>; readonly open: () => void } => {
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  return { opened, open };
};

test('the same key waits its turn, another does not, and a failure ends a turn as well', async () => {
  const queue = new KeyedQueue();
  const told: string[] = [];
  const first = gate();
  const runs = [
    queue.run('a', async () => {
      await first.opened;
      told.push('a1');
      throw new Error('broken');
    }),
    queue.run('a', async () => told.push('a2')),
    queue.run('b', async () => told.push('b')),
  ] as const;
  await runs[2];
  expect(told).toEqual(['b']);
  expect([queue.isBusy('a'), queue.isBusy('b')]).toEqual([true, false]);
  first.open();
  await expect(runs[0]).rejects.toThrow('broken');
  await runs[1];
  expect(told).toEqual(['b', 'a1', 'a2']);
  expect(queue.isBusy('a')).toBe(false);
});
