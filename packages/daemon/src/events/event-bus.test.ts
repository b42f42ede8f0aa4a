import { expect, test } from 'vitest';
import { EventBus } from './event-bus.ts';

const names = (...list: string[]) => new Set(list);

test('listeners hear what they asked for, of their own key', async () => {
  using bus = new EventBus();
  using all = bus.subscribe({ keyId: 'a', names: undefined });
  using some = bus.subscribe({ keyId: 'a', names: names('model.loaded') });
  bus.publish('b', 'model.loaded', {});
  bus.publish('a', 'forecast.complete', { model: 'm' });
  bus.publish('a', 'model.loaded', { model: 'm' });
  expect(await all.next(1000)).toMatchObject({ event: 'forecast.complete', sequence: 2 });
  expect(await all.next(1000)).toMatchObject({ event: 'model.loaded', data: { model: 'm' } });
  expect(await some.next(1000)).toMatchObject({ event: 'model.loaded', sequence: 3 });
  expect(await some.next(1)).toBe('idle');
});

test('one who waits is woken', async () => {
  using bus = new EventBus();
  using one = bus.subscribe({ keyId: 'a', names: undefined });
  const waiting = one.next(60_000);
  bus.publish('a', 'model.selected', {});
  expect(await waiting).toMatchObject({ event: 'model.selected' });
});

test('a slow listener loses the oldest', async () => {
  using bus = new EventBus();
  using slow = bus.subscribe({ keyId: 'a', names: undefined });
  for (let i = 0; i < 300; i++) bus.publish('a', 'forecast.progress', { i });
  expect(await slow.next(1)).toMatchObject({ data: { i: 44 } });
});

test('the end of the bus ends its listeners, a listener leaves alone', async () => {
  const bus = new EventBus();
  bus.subscribe({ keyId: 'a', names: undefined })[Symbol.dispose]();
  expect(bus.listeners).toBe(0);
  const one = bus.subscribe({ keyId: 'a', names: undefined });
  const waiting = one.next(60_000);
  bus[Symbol.dispose]();
  expect(await waiting).toBe('closed');
});
