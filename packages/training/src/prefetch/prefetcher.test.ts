import { fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { type VirtualClock, virtualClock } from '../clock/virtual-clock.ts';
import { type Loader, Prefetcher, type PrefetchResult } from './prefetcher.ts';

interface Setup {
  readonly clock: VirtualClock;
  readonly prefetcher: Prefetcher<string>;
  readonly disposed: string[];
}

const LATENCY_MS = 10;

const setup = (
  options: { concurrency?: number; timeoutMs?: number; maxCacheBytes?: number } = {},
  load?: (clock: VirtualClock) => Loader<string>,
): Setup => {
  const clock = virtualClock();
  const disposed: string[] = [];
  const slow: Loader<string> = (key) =>
    new Promise((resolve) => {
      clock.after(LATENCY_MS, () => {
        if (key.startsWith('bad')) {
          resolve({ kind: 'failed', failure: 'checksum_mismatch', message: key });
        } else resolve({ kind: 'loaded', value: key, sizeBytes: 10 });
      });
    });
  const prefetcher = new Prefetcher<string>({
    load: load?.(clock) ?? slow,
    dispose: (value) => void disposed.push(value),
    concurrency: 2,
    timeoutMs: 1000,
    maxCacheBytes: 1000,
    clock,
    ...options,
  });
  return { clock, prefetcher, disposed };
};

const ask = (prefetcher: Prefetcher<string>, key: string, isUrgent = false) =>
  prefetcher.prefetch({ key, runId: 'run', isUrgent });

const conserves = (prefetcher: Prefetcher<string>): void => {
  const { requested, inflight, ends } = prefetcher.counters();
  expect(Object.values(ends).reduce((a, b) => a + b, 0) + inflight).toBe(requested);
};

/** What happened so far, by the test's own count. */
interface Model {
  asked: number;
  ended: number;
}

type Action =
  | { readonly kind: 'ask'; readonly key: string; readonly isUrgent: boolean }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'cancel'; readonly key: string }
  | { readonly kind: 'shutdown' };

class Act implements fc.AsyncCommand<Model, Setup> {
  readonly action: Action;

  constructor(action: Action) {
    this.action = action;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, { clock, prefetcher }: Setup): Promise<void> {
    const { action } = this;
    if (action.kind === 'ask') {
      model.asked++;
      void ask(prefetcher, action.key, action.isUrgent).then((result) => {
        model.ended++;
        if ('lease' in result) result.lease.release();
      });
    } else if (action.kind === 'wait') await clock.advanceTo(clock.now() + action.ms);
    else if (action.kind === 'cancel') prefetcher.cancel(action.key);
    else void prefetcher.shutdown(5);
    await clock.advanceTo(clock.now());
    conserves(prefetcher);
    const { requested, inflight, running } = prefetcher.counters();
    expect(requested).toBe(model.asked);
    expect(inflight).toBe(model.asked - model.ended);
    expect(running).toBeLessThanOrEqual(2);
    expect(prefetcher.cache.sizeBytes).toBeLessThanOrEqual(prefetcher.cache.maxBytes);
  }

  toString(): string {
    return JSON.stringify(this.action);
  }
}

test('whatever happens, requested = ends + inflight, and in the end nothing is in flight', async () => {
  const key = fc.constantFrom('a', 'b', 'c', 'bad-d');
  const action = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('ask' as const), key, isUrgent: fc.boolean() }),
    },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(30) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('cancel' as const), key }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('shutdown' as const) }) },
  );
  const commands = fc.commands([action.map((one) => new Act(one))], { maxCommands: 30 });
  await fc.assert(
    fc.asyncProperty(commands, async (steps) => {
      const real = setup({ timeoutMs: 25, maxCacheBytes: 20 });
      await fc.asyncModelRun(() => ({ model: { asked: 0, ended: 0 }, real }), steps);
      await real.clock.runAll();
      expect(real.prefetcher.counters().inflight).toBe(0);
      conserves(real.prefetcher);
    }),
    { numRuns: 60 },
  );
});

const endsOf = async (clock: VirtualClock, asked: Promise<PrefetchResult<string>>[]) => {
  await clock.runAll();
  return (await Promise.all(asked)).map(({ end, latencyMs }) => [end, latencyMs]);
};

describe('one load for many', () => {
  test('equal keys in flight share it, later ones hit the cache', async () => {
    const { clock, prefetcher } = setup();
    const asked = [ask(prefetcher, 'a'), ask(prefetcher, 'a')];
    await clock.advanceTo(20);
    asked.push(ask(prefetcher, 'a'));
    expect(await endsOf(clock, asked)).toEqual([
      ['ready', 10],
      ['coalesced', 10],
      ['hit', 0],
    ]);
    expect(prefetcher.counters().started).toBe(1);
  });

  test('a waiter that gives up leaves the load to fill the cache', async () => {
    const { clock, prefetcher } = setup({ timeoutMs: 4 });
    const asked = [ask(prefetcher, 'a')];
    await clock.advanceTo(30);
    asked.push(ask(prefetcher, 'a'));
    expect(await endsOf(clock, asked)).toEqual([
      ['timeout', 4],
      ['hit', 0],
    ]);
  });

  test('a load that ends on the deadline is in time', async () => {
    const { clock, prefetcher } = setup({ timeoutMs: LATENCY_MS });
    expect(await endsOf(clock, [ask(prefetcher, 'a')])).toEqual([['ready', 10]]);
  });

  test('urgent keys go first, also when they already wait', async () => {
    const { clock, prefetcher } = setup({ concurrency: 1 });
    const asked = ['a', 'b', 'c', 'd'].map((key) => ask(prefetcher, key));
    asked.push(ask(prefetcher, 'e', true), ask(prefetcher, 'd', true));
    expect((await endsOf(clock, asked)).map(([, ms]) => ms)).toEqual([10, 40, 50, 30, 20, 30]);
  });
});

describe('what goes wrong', () => {
  test('a failed load fails all who wait, and is tried again', async () => {
    const { clock, prefetcher } = setup();
    const asked = [ask(prefetcher, 'bad'), ask(prefetcher, 'bad')];
    await clock.runAll();
    expect(await Promise.all(asked)).toMatchObject([
      { end: 'error', failure: 'checksum_mismatch' },
      { end: 'error', failure: 'checksum_mismatch' },
    ]);
    await endsOf(clock, [ask(prefetcher, 'bad')]);
    expect(prefetcher.counters().started).toBe(2);
  });

  test('a loader that throws is a build that failed', async () => {
    const { clock, prefetcher } = setup({}, () => async () => {
      throw new Error('no such operator');
    });
    const asked = ask(prefetcher, 'a');
    await clock.runAll();
    expect(await asked).toMatchObject({ failure: 'build_failed', message: 'no such operator' });
  });

  test('what a canceled load brings is freed, and does not answer a later request', async () => {
    const { clock, prefetcher, disposed } = setup();
    const first = ask(prefetcher, 'a');
    await clock.advanceTo(5);
    prefetcher.cancel('a');
    const second = ask(prefetcher, 'a');
    expect(await endsOf(clock, [first, second])).toEqual([
      ['canceled', 5],
      ['ready', 10],
    ]);
    expect(disposed).toEqual(['a']);
  });

  test('a request names its run', () => {
    const { prefetcher } = setup();
    expect(() => prefetcher.prefetch({ key: 'a', runId: '' })).toThrow('a prefetch without run id');
    expect(prefetcher.counters().requested).toBe(0);
  });

  test('shutdown cancels what is queued and waits for what runs', async () => {
    const { clock, prefetcher } = setup({ concurrency: 1 });
    const asked = [ask(prefetcher, 'a'), ask(prefetcher, 'b')];
    const shut = prefetcher.shutdown(100);
    expect(await endsOf(clock, asked)).toEqual([
      ['ready', 10],
      ['canceled', 0],
    ]);
    await shut;
    expect(await ask(prefetcher, 'c')).toMatchObject({ end: 'canceled' });
  });
});

describe('cache', () => {
  test('what is leased is pinned; least recently used goes first', async () => {
    const { clock, prefetcher, disposed } = setup({ maxCacheBytes: 20 });
    const first = ask(prefetcher, 'a');
    await clock.runAll();
    const held = await first;
    for (const key of ['b', 'c']) {
      const asked = ask(prefetcher, key);
      await clock.runAll();
      const result = await asked;
      if ('lease' in result) result.lease.release();
    }
    expect(prefetcher.cache.keys).toEqual(['a', 'c']);
    expect(disposed).toEqual(['b']);
    if ('lease' in held) held.lease.release();
    prefetcher.cache.evict('a');
    expect(disposed).toEqual(['b', 'a']);
  });

  test('a value that cannot fit lives as long as its lease', async () => {
    const { clock, prefetcher, disposed } = setup({ maxCacheBytes: 5 });
    const asked = ask(prefetcher, 'a');
    await clock.runAll();
    const result = await asked;
    expect(prefetcher.cache.sizeBytes).toBe(0);
    expect(disposed).toEqual([]);
    if ('lease' in result) result.lease.release();
    expect(disposed).toEqual(['a']);
  });
});
