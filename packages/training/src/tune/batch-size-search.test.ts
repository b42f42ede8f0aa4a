import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BatchSearch, searchBatchSize } from './batch-size-search.ts';

const SEARCH: BatchSearch = { first: 8, most: 1024, memoryBytes: 1000, saving: 0.05 };

const search = (options: Partial<BatchSearch>, msPerWindow: (size: number) => number) =>
  searchBatchSize(
    { ...SEARCH, ...options },
    {
      bytesOf: (size) => size,
      timeOf: async (size) => {
        const ms = msPerWindow(size);
        if (Number.isNaN(ms)) throw new Error('no memory');
        return ms;
      },
    },
  );

test('doubles while a window gets cheaper', async () => {
  const found = await search({}, (size) => 1 / Math.min(size, 64));
  expect(found).toMatchObject({ size: 64, endedBy: 'time' });
  expect(found.trials.map(({ size }) => size)).toEqual([8, 16, 32, 64, 128]);
});

test('never tries what is reckoned not to fit', async () => {
  const found = await search({ memoryBytes: 100 }, (size) => 1 / size);
  expect(found).toMatchObject({ size: 64, endedBy: 'memory' });
  expect(found.trials.at(-1)).toEqual({ size: 128, bytes: 128, msPerWindow: undefined });
});

test('a size that the runtime refuses ends it with the one before', async () => {
  const found = await search({}, (size) => (size > 16 ? Number.NaN : 1 / size));
  expect(found).toMatchObject({ size: 16, endedBy: 'failed' });
});

test('few windows bound it; nothing smaller than the first is tried', async () => {
  expect(await search({ most: 40 }, (size) => 1 / size)).toMatchObject({
    size: 32,
    endedBy: 'windows',
  });
  expect(await search({ most: 5 }, () => 1)).toMatchObject({ size: 5, trials: [] });
  expect(await search({ memoryBytes: 1 }, () => 1)).toMatchObject({ size: 8, endedBy: 'memory' });
});

test('what is found is a power of two times the first, fits, and was tried', async () => {
  const times = fc.array(fc.double({ min: 0.01, max: 10, noNaN: true }), {
    minLength: 8,
    maxLength: 8,
  });
  await fc.assert(
    fc.asyncProperty(times, fc.integer({ min: 8, max: 2000 }), async (ms, memoryBytes) => {
      const found = await search({ memoryBytes }, (size) => ms[Math.log2(size / 8)]!);
      const tried = found.trials.filter(({ msPerWindow }) => msPerWindow !== undefined);
      expect(tried.map(({ size }) => size)).toContain(found.size);
      expect(tried.every(({ bytes }) => bytes <= memoryBytes)).toBe(true);
      const best = tried.slice(0, tried.findIndex(({ size }) => size === found.size) + 1);
      expect(Math.min(...best.map(({ msPerWindow }) => msPerWindow!))).toBe(
        best.at(-1)!.msPerWindow,
      );
    }),
  );
});
