import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { decide, estimateBytes, type Resident } from './decide.ts';

const resident = (name: string, bytes: number, lastUsedMs: number, inUse = 0): Resident => ({
  name,
  bytes,
  lastUsedMs,
  inUse,
});
const roomy = { maxModels: undefined, memoryBytes: 1000 };

describe('what must leave', () => {
  test('nothing for a model that is loaded, or fits', () => {
    expect(decide({ name: 'a', bytes: 900 }, [resident('a', 900, 1)], roomy)).toEqual({
      kind: 'run',
    });
    expect(decide({ name: 'b', bytes: 100 }, [resident('a', 900, 1)], roomy)).toEqual({
      kind: 'run',
    });
  });

  test('the least recently used first, and no more than needed', () => {
    const loaded = [resident('new', 300, 9), resident('old', 300, 1), resident('mid', 300, 5)];
    expect(decide({ name: 'x', bytes: 400 }, loaded, roomy)).toEqual({
      kind: 'evict',
      names: ['old'],
    });
    expect(decide({ name: 'x', bytes: 700 }, loaded, roomy)).toEqual({
      kind: 'evict',
      names: ['old', 'mid'],
    });
  });

  test('never one in use: then it waits', () => {
    const loaded = [resident('busy', 800, 1, 2), resident('idle', 100, 5)];
    expect(decide({ name: 'x', bytes: 150 }, loaded, roomy)).toEqual({
      kind: 'evict',
      names: ['idle'],
    });
    expect(decide({ name: 'x', bytes: 500 }, loaded, roomy)).toEqual({ kind: 'wait' });
  });

  test('what does not fit alone is refused', () => {
    expect(decide({ name: 'x', bytes: 1001 }, [], roomy)).toEqual({ kind: 'refuse' });
  });

  test('the number of models counts too', () => {
    const limits = { maxModels: 2, memoryBytes: 1000 };
    const loaded = [resident('a', 0, 2), resident('b', 0, 1)];
    expect(decide({ name: 'x', bytes: 0 }, loaded, limits)).toEqual({
      kind: 'evict',
      names: ['b'],
    });
  });
});

const residents = fc.uniqueArray(
  fc.record({
    name: fc.string({ minLength: 1, maxLength: 3 }),
    bytes: fc.integer({ min: 0, max: 500 }),
    lastUsedMs: fc.integer({ min: 0, max: 9 }),
    inUse: fc.integer({ min: 0, max: 2 }),
  }),
  { selector: ({ name }) => name, maxLength: 8 },
);

property.prop([residents, fc.integer({ min: 0, max: 1500 })])(
  'after evictions it fits, and nothing in use left',
  (loaded, bytes) => {
    const limits = { maxModels: 6, memoryBytes: 1000 };
    const decision = decide({ name: 'wanted', bytes }, loaded, limits);
    if (decision.kind !== 'evict') return;
    const kept = loaded.filter(({ name }) => !decision.names.includes(name));
    expect(kept.reduce((sum, one) => sum + one.bytes, bytes)).toBeLessThanOrEqual(1000);
    expect(kept.length).toBeLessThan(6);
    expect(loaded.filter(({ name, inUse }) => inUse > 0 && decision.names.includes(name))).toEqual(
      [],
    );
  },
);

test('int8 is estimated smaller, and models without weights are free', () => {
  expect(estimateBytes(0, 'float32')).toBe(0);
  expect(estimateBytes(1e9, 'int8')).toBeLessThan(estimateBytes(1e9, 'float32') / 2);
});
