import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LoadedModels } from './loaded-models.ts';

const facts = (name: string, estimatedBytes = 0, family = 'f') => ({
  name,
  family,
  weightBytes: 0,
  estimatedBytes,
  contextLength: null,
});

const forever = { kind: 'forever' } as const;
const seconds = (count: number) => ({ kind: 'seconds', seconds: count }) as const;

let unloaded: string[];
let models: LoadedModels;
beforeEach(() => {
  vi.useFakeTimers();
  unloaded = [];
  models = new LoadedModels({
    limits: { maxModels: undefined, memoryBytes: 100 },
    unload: async ({ name }) => {
      unloaded.push(name);
    },
  });
});
afterEach(() => {
  vi.useRealTimers();
});

const use = async (
  name: string,
  keepAlive: typeof forever | ReturnType<typeof seconds> = forever,
  bytes = 0,
) => {
  await models.begin(facts(name, bytes));
  await models.done(name, keepAlive);
};

describe('time to live', () => {
  test('counts from the answer, and frees that model alone', async () => {
    await use('a', seconds(10));
    await use('b');
    await vi.advanceTimersByTimeAsync(9_999);
    expect(models.list().map(({ name }) => name)).toEqual(['a', 'b']);
    await vi.advanceTimersByTimeAsync(1);
    expect(models.list().map(({ name }) => name)).toEqual(['b']);
    expect(unloaded).toEqual(['a']);
  });

  test('0 frees it at once, unless another forecast still uses it', async () => {
    await models.begin(facts('a'));
    await use('a', seconds(0));
    expect(unloaded).toEqual([]);
    await models.done('a', seconds(0));
    expect(unloaded).toEqual(['a']);
  });

  test('a model in use does not expire; a failure leaves its time as it was', async () => {
    await use('a', seconds(10));
    await models.begin(facts('a'));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(unloaded).toEqual([]);
    models.failed('a');
    await vi.advanceTimersByTimeAsync(0);
    expect(unloaded).toEqual(['a']);
  });
});

describe('room', () => {
  test('the least recently used idle model leaves', async () => {
    await use('old', forever, 60);
    await vi.advanceTimersByTimeAsync(5);
    await use('new', forever, 30);
    await use('big', forever, 50);
    expect(unloaded).toEqual(['old']);
    expect(models.list().map(({ name }) => name)).toEqual(['big', 'new']);
  });

  test('what is in use is waited for', async () => {
    await models.begin(facts('busy', 80));
    const waiting = models.begin(facts('next', 80));
    let isThrough = false;
    void waiting.then(() => {
      isThrough = true;
    });
    await vi.advanceTimersByTimeAsync(100);
    expect(isThrough).toBe(false);
    await models.done('busy', forever);
    await waiting;
    expect(unloaded).toEqual(['busy']);
  });

  test('what never fits is refused with both sizes', async () => {
    await expect(models.begin(facts('huge', 3e9))).rejects.toThrow(
      "model 'huge' needs about 3.0 GB, the limit is 0.0 GB",
    );
  });

  test('a waiting client that goes away leaves', async () => {
    await models.begin(facts('busy', 80));
    const leaving = new AbortController();
    const waiting = models.begin(facts('next', 80), leaving.signal);
    leaving.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });
});

test('a runner that dies takes its models along, not those of others', async () => {
  await use('a');
  await models.begin(facts('b', 0, 'other'));
  await models.done('b', forever);
  models.forgetFamily('f');
  expect(models.list().map(({ name }) => name)).toEqual(['b']);
  expect(unloaded).toEqual([]);
});
