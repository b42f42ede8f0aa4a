/** Golden cases of what controls a run: alpha, percentiles, governor, breaker, lifecycle, snapshots, prefetch. */

import { Breaker } from '@tollama/training/breaker/breaker';
import { virtualClock } from '@tollama/training/clock/virtual-clock';
import { STAGES, type Stage, stagesAfter } from '@tollama/training/contracts/stages';
import { Governor } from '@tollama/training/governor/governor';
import { percentile } from '@tollama/training/harness/percentile';
import {
  AlphaController,
  alphaAfter,
  type Ramp,
  tanhAlpha,
} from '@tollama/training/lifecycle/alpha-schedule';
import { Lifecycle } from '@tollama/training/lifecycle/lifecycle';
import { Prefetcher, type PrefetchResult } from '@tollama/training/prefetch/prefetcher';
import { SnapshotRing } from '@tollama/training/snapshot/snapshot-ring';

type Fields = Readonly<Record<string, unknown>>;

/** Answers what the case expects, field by field. */
export type Operation = (input: Fields, folder: string) => Fields | Promise<Fields>;

const passing = (gate: string) => ({
  gate: gate as 'G0',
  passed: true,
  score: 1,
  checks_passed: [],
  checks_failed: [],
  message: '',
});

const alphaSchedule: Operation = (input) => {
  const { ticks, ...ramp } = input as unknown as Ramp & { readonly ticks: number };
  const controller = new AlphaController();
  controller.load({ ramp, ticks: 0 });
  let doneAt = controller.isHolding ? 0 : null;
  const alpha = [controller.alpha];
  for (let k = 1; k <= ticks; k++) {
    alpha.push(controller.tick());
    if (doneAt === null && controller.isHolding) doneAt = k;
  }
  const formula = alpha.map((_, k) => alphaAfter(ramp, k));
  if (formula.some((value, k) => value !== alpha[k])) throw new Error('controller and formula');
  return { alpha, done_at_tick: doneAt };
};

const alphaTanh: Operation = (input) => {
  const { total_steps, temperature } = input as { total_steps: number; temperature: number };
  return {
    alpha: Array.from({ length: total_steps + 1 }, (_, k) =>
      tanhAlpha(k, total_steps, temperature),
    ),
  };
};

const percentiles: Operation = (input) => {
  const { values, ps } = input as { values: number[]; ps: number[] };
  return { values: ps.map((p) => percentile(values, p)) };
};

const lossOf = (value: unknown): number => {
  if (typeof value === 'number') return value;
  if (value === null) return Number.NaN;
  return value === '-inf' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
};

const governor: Operation = (input) => {
  const { config, losses } = input as { config: Record<string, number>; losses: unknown[] };
  const one = new Governor({
    window: config.window!,
    minHistory: config.min_history!,
    sigma: config.sigma!,
    multiplier: config.multiplier!,
    absolute: config.absolute!,
    patience: config.patience!,
  });
  return { steps: losses.map((loss) => one.judge(lossOf(loss))) };
};

interface BreakerEvent {
  readonly t_ms: number;
  readonly kind: 'allow' | 'success' | 'failure';
}

const breaker: Operation = (input) => {
  const { config, events } = input as { config: Record<string, number>; events: BreakerEvent[] };
  const one = new Breaker({
    failureThreshold: config.failure_threshold!,
    successThreshold: config.success_threshold!,
    cooldownMs: config.cooldown_ms!,
  });
  const steps = events.map(({ t_ms, kind }) => {
    const allowed = kind === 'allow' ? one.allow(t_ms) : null;
    if (kind === 'success') one.succeed();
    if (kind === 'failure') one.fail(t_ms);
    const { openUntilMs, ...rest } = one.snapshot();
    return { ...rest, allowed, open_until_ms: openUntilMs ?? null };
  });
  return { steps };
};

const lifecycle: Operation = (input) => {
  const { stages } = input as { stages: Stage[] };
  if (stages.join() !== STAGES.join()) throw new Error('other stages');
  return {
    allowed: stages.flatMap((from) => stagesAfter(from).map((to) => [from, to])),
  };
};

const lifecyclePath: Operation = (input) => {
  const { requests } = input as { requests: Stage[] };
  const slot = new Lifecycle();
  const accepts = (to: Stage): boolean => {
    try {
      return slot.move(to, { epoch: 0, reason: 'golden', judge: passing }).kind === 'moved';
    } catch {
      return false;
    }
  };
  return {
    steps: requests.map((requested) => ({
      requested,
      accepted: accepts(requested),
      stage: slot.stage,
    })),
  };
};

interface SnapshotOperation {
  readonly kind: 'put' | 'get';
  readonly step: number;
  readonly bytes?: number;
}

const snapshotRing: Operation = (input) => {
  const { max_bytes, ops } = input as { max_bytes: number; ops: SnapshotOperation[] };
  const ring = new SnapshotRing<number>(max_bytes);
  const results = ops.map(({ kind, step, bytes }) => {
    if (kind === 'get') return { hit: ring.nearest(step)?.step ?? null, steps: ring.steps };
    const { isStored, evicted } = ring.put(step, step, bytes!);
    return { evicted, stored: isStored, steps: ring.steps };
  });
  return { results };
};

interface PrefetchTrace {
  readonly config: {
    readonly concurrency: number;
    readonly timeout_ms: number;
    readonly latency_ms: Readonly<Record<string, number>>;
  };
  readonly requests: readonly { readonly t_ms: number; readonly key: string }[];
}

const SUCCESSES = ['ready', 'hit', 'coalesced'];

const prefetchTrace: Operation = async (input) => {
  const { config, requests } = input as unknown as PrefetchTrace;
  const clock = virtualClock();
  const prefetcher = new Prefetcher<string>({
    load: (key) =>
      new Promise((resolve) => {
        const done = { kind: 'loaded', value: key, sizeBytes: 1 } as const;
        clock.after(config.latency_ms[key]!, () => resolve(done));
      }),
    concurrency: config.concurrency,
    timeoutMs: config.timeout_ms,
    maxCacheBytes: 1e9,
    clock,
  });
  const results: Promise<PrefetchResult<string>>[] = [];
  for (const { t_ms, key } of requests) {
    await clock.advanceTo(t_ms);
    results.push(prefetcher.prefetch({ key, runId: 'golden' }));
  }
  await clock.runAll();
  const ended = await Promise.all(results);
  const outcomes = ended.map(({ end, latencyMs }) => ({
    outcome: SUCCESSES.includes(end) ? 'ready' : end,
    latency_ms: latencyMs,
  }));
  const { requested, ends, joined, started, peakRunning } = prefetcher.counters();
  return {
    requests: outcomes,
    counters: {
      requested,
      coalesced: joined,
      cache_hits: ends.hit,
      started,
      ready: outcomes.filter(({ outcome }) => outcome === 'ready').length,
      timeout: ends.timeout,
      peak_running: peakRunning,
    },
  };
};

export const controlOps: Readonly<Record<string, Operation>> = {
  alpha_schedule: alphaSchedule,
  alpha_tanh: alphaTanh,
  percentile: percentiles,
  governor,
  breaker,
  lifecycle,
  lifecycle_path: lifecyclePath,
  snapshot_ring: snapshotRing,
  prefetch_trace: prefetchTrace,
};
