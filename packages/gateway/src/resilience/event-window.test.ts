import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { EventWindow } from './event-window.ts';

property.prop([
  fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.boolean()), {
    minLength: 1,
    maxLength: 300,
  }),
])('counts exactly the events of the window when they are further apart than a slot', (events) => {
  const window = new EventWindow();
  const windowMs = 20;
  let now = 0;
  const all: { at: number; isSuccess: boolean }[] = [];
  for (const [wait, isSuccess] of events) {
    now += wait;
    all.push({ at: now, isSuccess });
    window.record(isSuccess, now, windowMs);
    const inside = all.filter(({ at }) => at >= now - windowMs);
    expect(window.total).toBe(inside.length);
    expect(window.failures).toBe(inside.filter((event) => !event.isSuccess).length);
  }
});

test('memory does not grow with the rate', () => {
  const window = new EventWindow();
  for (let i = 0; i < 100_000; i++) window.record(true, i / 100, 1000);
  expect(window.total).toBe(100_000);
  window.prune(1e9, 1000);
  expect(window.total).toBe(0);
});
