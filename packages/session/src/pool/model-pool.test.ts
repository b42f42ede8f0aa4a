import { describe, expect, test } from 'vitest';
import { fakeBackend } from '../testing/fake-backend.ts';
import { adapterConfigOf, modelSizeOf } from './adapter-config.ts';
import { loadStatistics, resetSessionMetrics, sessionMetrics } from './load-metrics.ts';
import { ModelPool } from './model-pool.ts';

const names = ['one', 'two', 'three'] as const;

const poolOf = (config: ConstructorParameters<typeof ModelPool>[0] = {}) => {
  const backend = fakeBackend();
  return { backend, pool: new ModelPool({ adapters: names, backend, ...config }) };
};

test.each([0, 4, 1.5])('maxPreloadAdapters %d is refused', (maxPreloadAdapters) => {
  expect(() => poolOf({ maxPreloadAdapters })).toThrow(RangeError);
});

test('a pool without adapters is refused; the default ones are the three of the plan', () => {
  expect(() => poolOf({ adapters: [] })).toThrow(RangeError);
  expect(new ModelPool().config.adapters).toEqual(['chronos', 'moirai', 'timesfm']);
});

test('three adapters, two preloaded: in order; the third is a miss', async () => {
  const { backend, pool } = poolOf({ maxPreloadAdapters: 2, preload: true });
  expect(await pool.ready).toEqual(['one', 'two']);
  expect(backend.loads).toEqual(['one', 'two']);
  expect(() => pool.get('three')).toThrow(
    expect.objectContaining({
      code: 'E_MODEL_NOT_LOADED',
      context: {
        adapter_name: 'three',
        configured_adapters: names,
        loaded_adapters: ['one', 'two'],
        max_preload_adapters: 2,
      },
    }),
  );
  await pool.preloadAll();
  expect(backend.loads).toEqual(['one', 'two']);
});

describe('preload matrix', () => {
  test.each([1, 2, 3])('the first %d are there', async (maxPreloadAdapters) => {
    const { pool } = poolOf({ maxPreloadAdapters, preload: true });
    await pool.ready;
    expect(pool.stats().loaded_adapters).toEqual(names.slice(0, maxPreloadAdapters));
  });
});

test('two gets give the same object, one load is counted', async () => {
  resetSessionMetrics();
  const { pool } = poolOf();
  await pool.preload('one');
  expect(pool.get('one')).toBe(pool.get('one'));
  expect(pool.stats()).toMatchObject({ loaded_count: 1, details: { one: { load_count: 1 } } });
  expect(loadStatistics().per_adapter.one?.load_count).toBe(1);
  expect(sessionMetrics().tsfm_model_load_count).toEqual({ one: 1 });
});

test('concurrent loads of one name load once', async () => {
  const { backend, pool } = poolOf();
  const [a, b, c] = await Promise.all([
    pool.getOrLoad('two'),
    pool.getOrLoad('two'),
    pool.preload('two'),
  ]);
  expect(a).toBe(b);
  expect(b).toBe(c);
  expect(backend.loads).toEqual(['two']);
});

test('an unknown name is not available, and says what is', async () => {
  const { pool } = poolOf();
  const failure = { code: 'E_ADAPTER_NOT_AVAILABLE', context: { configured_adapters: names } };
  expect(() => pool.get('four')).toThrow(expect.objectContaining({ code: failure.code }));
  await expect(pool.preload('four')).rejects.toMatchObject(failure);
  await expect(pool.getOrLoad('four')).rejects.toMatchObject(failure);
});

test('close unloads all whatever one makes of it, and may be called again', async () => {
  const backend = fakeBackend({ unloadErrors: { one: new Error('busy') } });
  const pool = new ModelPool({ adapters: names, backend, preload: true });
  await pool.ready;
  const adapters = names.map((name) => pool.get(name));
  await pool.close();
  await pool.close();
  expect(backend.unloads).toEqual([...names]);
  expect(adapters.every(({ isLoaded }) => !isLoaded)).toBe(true);
  expect(pool.stats()).toMatchObject({ loaded_count: 0, details: {} });
  expect(() => pool.get('one')).toThrow(/E_MODEL_NOT_LOADED/);
});

test('strict misses load nothing; lazy ones load once', async () => {
  const strict = poolOf();
  await expect(strict.pool.acquire('one')).rejects.toMatchObject({ code: 'E_MODEL_NOT_LOADED' });
  expect(strict.backend.loads).toEqual([]);
  const lazy = poolOf({ allowLazyLoadOnMiss: true });
  const first = await lazy.pool.acquire('one');
  expect(await lazy.pool.acquire('one')).toBe(first);
  expect(lazy.backend.loads).toEqual(['one']);
});

test('fit and predict of an unloaded adapter never load', async () => {
  resetSessionMetrics();
  const { backend, pool } = poolOf();
  const adapter = await pool.preload('one');
  await adapter.unloadModel();
  const series = [{ id: 'a', freq: 'D', target: Float64Array.of(1, 2, 3) }];
  for (const operation of ['fit', 'predict'] as const) {
    await expect(adapter[operation](series, 2, [0.5])).rejects.toMatchObject({
      code: 'E_MODEL_NOT_LOADED',
      context: { adapter_name: 'one', operation, model_size: 'base', device: null },
    });
  }
  expect(backend.loads).toEqual(['one']);
  expect(loadStatistics().load_count).toBe(1);
});

test('a failed load is E_MODEL_LOAD_FAILED, and the next attempt loads again', async () => {
  const failures: Record<string, Error> = { one: new Error('no such file') };
  const backend = fakeBackend({ loadErrors: failures });
  const pool = new ModelPool({ adapters: names, backend });
  await expect(pool.preload('one')).rejects.toMatchObject({ code: 'E_MODEL_LOAD_FAILED' });
  delete failures.one;
  expect((await pool.preload('one')).isLoaded).toBe(true);
});

test('memory that runs out while loading is E_OOM', async () => {
  const backend = fakeBackend({ loadErrors: { one: new Error('CUDA out of memory') } });
  const pool = new ModelPool({ adapters: names, backend });
  await expect(pool.preload('one')).rejects.toMatchObject({ code: 'E_OOM' });
});

test('sizes: the table, else the own model_size, else the pipeline, else base; the pool device wins', () => {
  const settings = {
    modelSizeByAdapter: { one: 'large' },
    adapterKwargsByAdapter: {
      one: { model_size: 'tiny' },
      two: { model_size: 'small', pipeline: 'large', device: 'cpu' },
      three: { pipeline: 'tiny' },
    },
    device: 'cuda',
  };
  const sizes = ['one', 'two', 'three', 'chronos'].map((name) => modelSizeOf(name, settings));
  expect(sizes).toEqual(['large', 'small', 'tiny', 'base']);
  expect(adapterConfigOf('two', settings)).toMatchObject({
    device: 'cuda',
    modelName: 'two',
    batchSize: 32,
    predictionBatchSize: 100,
    numSamples: 100,
    quantileMethod: 'sample',
  });
  expect(adapterConfigOf('chronos', settings).modelName).toBe('chronos2');
});

describe('a memory limit', () => {
  const sized = (memoryLimitBytes: number, sizes = { one: 40, two: 40, three: 40 }) => {
    const backend = fakeBackend({ sizes });
    const lazy = { allowLazyLoadOnMiss: true, memoryLimitBytes };
    return { backend, pool: new ModelPool({ adapters: names, backend, ...lazy }) };
  };

  test('the model that was used longest ago goes', async () => {
    const { backend, pool } = sized(100);
    await pool.acquire('one');
    await pool.acquire('two');
    await pool.acquire('one');
    await pool.acquire('three');
    expect(backend.unloads).toEqual(['two']);
    expect(pool.stats()).toMatchObject({
      loaded_adapters: ['one', 'three'],
      memory_bytes: 80,
      memory_limit_bytes: 100,
      evicted_adapters: ['two'],
    });
    await pool.acquire('two');
    expect(backend.loads).toEqual(['one', 'two', 'three', 'two']);
    expect(backend.unloads).toEqual(['two', 'one']);
  });

  test('one that is forecasting stays', async () => {
    const { backend, pool } = sized(50);
    const adapter = await pool.acquire('one');
    const series = [{ id: 'a', freq: 'D', target: Float64Array.of(1, 2, 3) }];
    const forecast = adapter.predict(series, 2, [0.5]);
    const second = pool.acquire('two');
    await Promise.all([forecast, second]);
    expect((await forecast).forecasts).toHaveLength(1);
    expect(backend.calls).toHaveLength(1);
  });

  test('in a strict pool the next use of it is a miss that says so', async () => {
    const backend = fakeBackend({ sizes: { one: 40, two: 40 } });
    const config = { adapters: names, backend, maxPreloadAdapters: 2, memoryLimitBytes: 50 };
    const pool = new ModelPool(config);
    await pool.preloadAll();
    expect(pool.stats().loaded_adapters).toEqual(['two']);
    expect(() => pool.get('one')).toThrow(
      expect.objectContaining({
        code: 'E_MODEL_NOT_LOADED',
        context: expect.objectContaining({ unloaded_for_memory: true }),
      }),
    );
  });

  test('a model that does not fit alone is E_OOM, models of unknown size count as nothing', async () => {
    const { backend, pool } = sized(30, { one: 40, two: 20, three: 0 });
    await expect(pool.acquire('one')).rejects.toMatchObject({ code: 'E_OOM' });
    expect(backend.unloads).toEqual(['one']);
    await pool.acquire('two');
    await pool.acquire('three');
    expect(pool.stats().loaded_adapters).toEqual(['two', 'three']);
    expect(() => sized(0)).toThrow(RangeError);
  });
});
