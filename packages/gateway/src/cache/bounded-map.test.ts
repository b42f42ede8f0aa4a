import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { BoundedMap } from './bounded-map.ts';

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const action = fc.oneof(
  fc.record({ kind: fc.constant('get' as const), key }),
  fc.record({ kind: fc.constant('delete' as const), key }),
  fc.record({ kind: fc.constant('set' as const), key, bytes: fc.integer({ min: 0, max: 900 }) }),
);

property.prop([
  fc.array(action, { maxLength: 200 }),
  fc.integer({ min: 1, max: 4 }),
  fc.integer({ min: 300, max: 3000 }),
  fc.constantFrom('lru' as const, 'fifo' as const),
])(
  'both bounds hold at any time, and what is held is what was written last',
  (actions, maxEntries, maxBytes, eviction) => {
    const map = new BoundedMap<number>(() => ({ maxEntries, maxBytes, eviction }));
    const written = new Map<string, number>();
    actions.forEach((one, i) => {
      if (one.kind === 'set') {
        map.set(one.key, i, one.bytes);
        written.set(one.key, i);
      } else if (one.kind === 'delete') map.delete(one.key);
      else {
        const found = map.get(one.key);
        if (found !== undefined) expect(found).toBe(written.get(one.key));
      }
      expect(map.size).toBeLessThanOrEqual(maxEntries);
      expect(map.bytes).toBeLessThanOrEqual(maxBytes);
    });
    for (const name of ['a', 'b', 'c', 'd', 'e']) map.delete(name);
    expect([map.size, map.bytes]).toEqual([0, 0]);
  },
);

property.prop([fc.array(key, { minLength: 1, maxLength: 100 })])(
  'lru keeps the keys that were used last',
  (keys) => {
    const map = new BoundedMap<string>(() => ({ maxEntries: 3, maxBytes: 1e6, eviction: 'lru' }));
    const recent: string[] = [];
    for (const name of keys) {
      if (map.get(name) === undefined) map.set(name, name, 1);
      recent.splice(0, recent.length, name, ...recent.filter((other) => other !== name));
      const held = ['a', 'b', 'c', 'd', 'e'].filter((other) => recent.slice(0, 3).includes(other));
      expect(map.size).toBe(held.length);
    }
    for (const name of recent.slice(0, 3)) expect(map.get(name)).toBe(name);
  },
);

test('a value larger than the whole bound is not kept, nor is what it replaces', () => {
  const map = new BoundedMap<number>(() => ({ maxEntries: 9, maxBytes: 500, eviction: 'lru' }));
  map.set('a', 1, 10);
  map.set('a', 2, 1000);
  expect(map.get('a')).toBeUndefined();
});
