import { fc, test as property } from '@fast-check/vitest';
import { expect, test, vi } from 'vitest';
import { Bulkhead, type Release } from './bulkhead.ts';

const WAIT_MS = 1000;

property.prop([
  fc.array(fc.record({ market: fc.constantFrom('a', 'b'), ends: fc.boolean() }), { maxLength: 80 }),
  fc.integer({ min: 1, max: 4 }),
  fc.integer({ min: 0, max: 2 }),
])('its bounds hold, and every waiter is let in at last', async (steps, concurrency, perMarket) => {
  const bulkhead = new Bulkhead(() => ({ concurrency, perMarket, maxQueue: 1000 }));
  const held: { market: string; release: Release }[] = [];
  let entered = 0;
  const asked = steps.map(async ({ market }, i) => {
    const release = await bulkhead.acquire(market, WAIT_MS);
    expect(release).toBeDefined();
    entered++;
    held.push({ market, release: release! });
    expect(held.length).toBeLessThanOrEqual(concurrency);
    if (perMarket > 0) {
      expect(held.filter((one) => one.market === market).length).toBeLessThanOrEqual(perMarket);
    }
    if (steps[i]!.ends)
      held
        .splice(
          held.findIndex((one) => one.release === release),
          1,
        )[0]!
        .release();
  });
  while (entered < steps.length) {
    await Promise.resolve();
    held.shift()?.release();
  }
  await Promise.all(asked);
  for (const { release } of held) release();
  expect([bulkhead.inFlight, bulkhead.waiting]).toEqual([0, 0]);
});

test('a waiter gives up in time, and a full queue turns away at once', async () => {
  vi.useFakeTimers();
  const bulkhead = new Bulkhead(() => ({ concurrency: 1, perMarket: 0, maxQueue: 1 }));
  const release = bulkhead.acquire('a', WAIT_MS) as Release;
  const waiting = bulkhead.acquire('b', WAIT_MS);
  expect(bulkhead.acquire('c', WAIT_MS)).toBeUndefined();
  vi.advanceTimersByTime(WAIT_MS);
  expect(await waiting).toBeUndefined();
  release();
  release();
  expect(bulkhead.inFlight).toBe(0);
  vi.useRealTimers();
});
