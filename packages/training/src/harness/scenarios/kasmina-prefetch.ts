/**
 * A burst of requests for adapters: `concurrency` clients, each with one request at a time, against a store that
 * takes a given time to hand a file over. Files are read, hashed and checked, sessions built and warmed up; some of
 * the adapters are then attached to a host, whose isolation is probed.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../clock/clock.ts';
import { METRICS } from '../../contracts/metrics.ts';
import { HeuristicPolicy } from '../../policy/heuristic.ts';
import type { PreparedAdapter } from '../../prefetch/adapter-loader.ts';
import { AdapterStore } from '../../prefetch/adapter-store.ts';
import { Prefetcher, type PrefetchResult } from '../../prefetch/prefetcher.ts';
import { Telemetry } from '../../telemetry/telemetry.ts';
import { type AdapterNeed, hostLoader, needKey, writeAdapters } from '../adapters.ts';
import { HOST_SLOTS, hostGraph } from '../host.ts';
import { type HarnessOptions, isInjected } from '../options.ts';
import { histogram, mean } from '../percentile.ts';
import type { Measured } from '../result.ts';
import { RunRecorder } from '../run-recorder.ts';
import { sleep } from '../stall.ts';
import { openWorkbench } from '../workbench.ts';
import type { ScenarioContext } from './scenario.ts';

const CACHE_BYTES = 64 * 2 ** 20;
/** The reference's rule: twice the budget, a second at least. */
const MIN_TIMEOUT_MS = 1000;
/** Beyond the upper end of any band, which lies at 1.5 times the latency. */
const slowerByMs = (readyLatencyMs: number): number => Math.max(35, 0.75 * readyLatencyMs);
/** What is in flight this long after everything else has ended is lost. */
const LOST_AFTER_MS = 500;
/** The longest that a timer can be set to. */
const NEVER_MS = 2 ** 31 - 1;
const RUN_ID = 'harness-prefetch';

/** Of eight requests: five new ones, two for one adapter at a time, one for an adapter that is there. */
export type Turn = 'new' | 'pair' | 'again';
const PATTERN: readonly Turn[] = ['new', 'new', 'new', 'pair', 'new', 'again', 'new'];

/** Turns that make up the requested number of requests. */
export const planTurns = (requests: number): readonly Turn[] => {
  const turns: Turn[] = [];
  let left = requests;
  for (let i = 0; left > 0; i++) {
    const wanted = PATTERN[i % PATTERN.length]!;
    const turn = wanted === 'pair' && left < 2 ? 'new' : wanted;
    turns.push(turn);
    left -= turn === 'pair' ? 2 : 1;
  }
  return turns;
};

const BLUEPRINTS = ['lora-r4-all', 'lora-r8-all', 'bottleneck-8', 'head'];

const needsFor = (count: number): readonly AdapterNeed[] =>
  Array.from({ length: count }, (_, i) => ({
    slot: HOST_SLOTS[i % HOST_SLOTS.length]!,
    blueprint: BLUEPRINTS[i % BLUEPRINTS.length]!,
    revision: `adapter-${i}`,
  }));

/** The store: hands a file over after its latency. */
const backend = (options: HarnessOptions, lostPath: () => string | undefined) => {
  const { readyLatencyMs } = options;
  const extra = isInjected(options, 'slow-backend') ? slowerByMs(readyLatencyMs) : 0;
  const latencyMs = (isInjected(options, 'instant-backend') ? 0 : readyLatencyMs) + extra;
  return async (path: string): Promise<Buffer> => {
    if (path === lostPath()) return new Promise(() => {});
    // Reading ends with the latency, not after it: the store's time includes its disk.
    const [bytes] = await Promise.all([readFile(path), sleep(latencyMs)]);
    return bytes;
  };
};

type Result = PrefetchResult<PreparedAdapter>;

interface Burst {
  readonly results: readonly Result[];
  readonly wallMs: number;
}

/** Each client takes the next turn when its request has ended. */
const runBurst = async (
  prefetcher: Prefetcher<PreparedAdapter>,
  turns: readonly Turn[],
  keys: readonly string[],
  clients: number,
): Promise<Burst> => {
  const results: Result[] = [];
  const started = systemClock.now();
  let nextTurn = 0;
  let nextKey = 0;
  const ask = async (key: string): Promise<void> => {
    const result = await prefetcher.prefetch({ key, runId: RUN_ID });
    results.push(result);
    if ('lease' in result) result.lease.release();
  };
  const client = async (): Promise<void> => {
    let own: string | undefined;
    for (;;) {
      const turn = turns[nextTurn++];
      if (!turn) return;
      const key = turn === 'again' && own !== undefined ? own : keys[nextKey++]!;
      own = key;
      await Promise.all(Array.from({ length: turn === 'pair' ? 2 : 1 }, () => ask(key)));
    }
  };
  const all = Promise.all(Array.from({ length: clients }, client));
  await withinSilence(all, () => results.length);
  return { results, wallMs: systemClock.now() - started };
};

/** Waits for a burst, or until nothing has ended for a while: the rest is lost. */
const withinSilence = async (all: Promise<unknown>, ended: () => number): Promise<void> => {
  let isDone = false;
  void all.finally(() => {
    isDone = true;
  });
  for (let before = -1, now = ended(); !isDone && now !== before; now = ended()) {
    before = now;
    await Promise.race([all, sleep(LOST_AFTER_MS)]);
  }
};

/** Adapters grown in a host's slots, up to training; answers the violations that the probes found. */
const attachAndProbe = async (options: HarnessOptions) => {
  // Whatever the loss does: a seed is wanted in each epoch that has room for one.
  const eager = { firstEpoch: 1, plateauEpochs: 1, plateauImprovement: 2, stableImprovement: 2 };
  const policy = new HeuristicPolicy(eager);
  await using bench = await openWorkbench(options, {
    epochs: 5,
    policy,
    isLeaky: isInjected(options, 'isolation-violation'),
  });
  await bench.trainer.open();
  await bench.trainer.run();
  const { recorder, seeds, adaptation } = bench;
  return {
    violations: seeds.isolationViolations,
    attached: recorder.count('seed_germinated'),
    trained: recorder.named('stage_changed').filter((one) => one.attributes.to === 'TRAINING')
      .length,
    failures: adaptation.decisions.filter(({ outcome }) => outcome.status === 'failed').length,
    commands: adaptation.commandsApplied,
    evaluations: bench.tamiyo.counters().asked,
  };
};

interface Opened {
  readonly prefetcher: Prefetcher<PreparedAdapter>;
  readonly recorder: RunRecorder;
  readonly keys: readonly string[];
  readonly close: () => Promise<void>;
}

/** A store with adapters, some of them broken on demand, and a prefetcher before it. */
const openStore = async (
  options: HarnessOptions,
  { adapters, healthy }: { readonly adapters: number; readonly healthy: number },
  { stream }: ScenarioContext,
): Promise<Opened> => {
  const { concurrency, readyLatencyMs, seed } = options;
  const needs = needsFor(adapters);
  const graph = hostGraph();
  const folder = await mkdtemp(join(tmpdir(), 'tollama-prefetch-'));
  const store = new AdapterStore(folder);
  const clock = systemClock;
  const telemetry = new Telemetry({ runId: RUN_ID, now: clock.now, wall: () => new Date() });
  const recorder = new RunRecorder(telemetry, stream);
  const keys = needs.map(needKey);
  await writeAdapters(store, graph, needs, seed);
  const faulty = keys[healthy]!;
  if (isInjected(options, 'corrupt-adapter')) await store.damage(faulty);
  // Another one than the damaged, where there is one.
  const gone = keys[healthy + 1] ?? faulty;
  const lost = isInjected(options, 'lost-request') ? store.pathOf(store.find(gone)!) : undefined;
  const fetch = backend(options, () => lost);
  const prefetcher = new Prefetcher<PreparedAdapter>({
    load: hostLoader({ store, graph, needs, clock, fetch }),
    dispose: async ({ kernel }) => kernel[Symbol.asyncDispose](),
    concurrency,
    timeoutMs: lost === undefined ? Math.max(2 * readyLatencyMs, MIN_TIMEOUT_MS) : NEVER_MS,
    maxCacheBytes: CACHE_BYTES,
    clock,
    report: telemetry.report,
  });
  const close = async (): Promise<void> => {
    await prefetcher.shutdown(LOST_AFTER_MS);
    await rm(folder, { recursive: true, force: true });
  };
  return { prefetcher, recorder, keys, close };
};

export const kasminaPrefetch = async (
  options: HarnessOptions,
  context: ScenarioContext,
): Promise<Measured> => {
  const { requests, concurrency, warmup } = options;
  const turns = planTurns(requests);
  const warmupTurns = Array.from({ length: warmup * concurrency }, (): Turn => 'new');
  const healthy = warmupTurns.length;
  const sizes = { adapters: turns.length + healthy, healthy };
  const { prefetcher, recorder, keys, close } = await openStore(options, sizes, context);
  try {
    const first = await runBurst(prefetcher, warmupTurns, keys, concurrency);
    const warmCounters = prefetcher.counters();
    const burst = await runBurst(prefetcher, turns, keys.slice(healthy), concurrency);
    const counters = difference(prefetcher.counters(), warmCounters);
    const attached = await attachAndProbe(options);
    return measuredOf({ options, first, burst, counters, attached, prefetcher, recorder });
  } finally {
    await close();
  }
};

type Counters = ReturnType<Prefetcher<unknown>['counters']>;

const difference = (now: Counters, before: Counters): Counters => ({
  ...now,
  requested: now.requested - before.requested,
  joined: now.joined - before.joined,
  started: now.started - before.started,
  ends: Object.fromEntries(
    Object.entries(now.ends).map(([end, count]) => [
      end,
      count - before.ends[end as keyof Counters['ends']],
    ]),
  ) as Counters['ends'],
});

interface Parts {
  readonly options: HarnessOptions;
  readonly first: Burst;
  readonly burst: Burst;
  readonly counters: Counters;
  readonly attached: Awaited<ReturnType<typeof attachAndProbe>>;
  readonly prefetcher: Prefetcher<PreparedAdapter>;
  readonly recorder: RunRecorder;
}

/** Requests that the backend was needed for; a hit costs nothing and would make the store look faster. */
const latenciesOf = ({ results }: Burst): readonly number[] =>
  results
    .filter(({ end }) => end === 'ready' || end === 'coalesced')
    .map(({ latencyMs }) => latencyMs);

const measuredOf = (parts: Parts): Measured => {
  const { options, first, burst, counters, attached, prefetcher, recorder } = parts;
  const latencies = latenciesOf(burst);
  const latency = histogram(latencies);
  const { ends, requested, started, peakRunning } = counters;
  const ended = Object.values(ends).reduce((sum, count) => sum + count, 0);
  return {
    metrics: {
      requests: requested,
      latency_mean_ms: mean(latencies),
      latency_p95_ms: latency.p95,
      latency_max_ms: latency.max,
      started,
      coalesced: ends.coalesced,
      cache_hits: ends.hit,
      timeouts: ends.timeout,
      errors: ends.error + attached.failures,
      canceled: ends.canceled,
      lost: requested - ended,
      isolation_violations: attached.violations,
      adapters_trained: attached.trained,
      fallbacks: recorder.count('prefetch_attach_failed'),
      requests_missing: Math.abs(options.requests - requested),
      throughput_requests_per_s: burst.wallMs > 0 ? (1000 * ended) / burst.wallMs : null,
    },
    histograms: {
      [METRICS.prefetchLatency]: latency,
      'kasmina.prefetch.hit_latency_ms': histogram(
        burst.results.filter(({ end }) => end === 'hit').map(({ latencyMs }) => latencyMs),
      ),
      [METRICS.prewarmLatency]: histogram(prefetcher.prewarmMs),
    },
    packets: recorder.finish(),
    details: {
      durations_ms: latencies,
      warmup_ms: latenciesOf(first),
      tamiyo_evaluations: attached.evaluations,
      kasmina_commands: attached.commands,
      halted: false,
      concurrency: options.concurrency,
      timeout_every: null,
      peak_running: peakRunning,
      cache_bytes: prefetcher.cache.sizeBytes,
      adapters_attached: attached.attached,
    },
  };
};
