/**
 * A cluster as events: requests of one series arrive at random, a balancer gives each to a machine, a machine takes
 * all that wait (up to a limit) into one run, as the runner's batcher does. Machines may die; their requests are
 * asked again elsewhere.
 */
import type { ServiceTime } from './service-times.ts';

export interface Cluster {
  readonly machines: number;
  /** Requests a second, all machines together. */
  readonly rate: number;
  readonly service: ServiceTime;
  /** Most requests of one run. */
  readonly maxBatch: number;
  /** Requests that may wait at a machine; more are refused. */
  readonly maxQueue: number;
  readonly balancer: 'random' | 'round-robin' | 'two-choices' | 'shortest';
  /** What network and JSON add to each request, milliseconds. */
  readonly overheadMs: number;
  readonly requests: number;
  readonly seed: number;
  /** Kills the first machine at this time, milliseconds. */
  readonly killAtMs?: number;
}

export interface Outcome {
  readonly answered: number;
  readonly refused: number;
  /** Asked a second time, since their machine died. */
  readonly repeated: number;
  /** Answers a second. */
  readonly throughput: number;
  /** Share of the time that machines computed. */
  readonly utilization: number;
  readonly meanBatch: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface Machine {
  readonly waiting: number[];
  running: readonly number[];
  endsAt: number;
  busyMs: number;
  runs: number;
  isAlive: boolean;
}

/** Mulberry32: small, and the same everywhere. */
const randomSource = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

const newMachine = (): Machine => ({
  waiting: [],
  running: [],
  endsAt: Number.POSITIVE_INFINITY,
  busyMs: 0,
  runs: 0,
  isAlive: true,
});

const loadOf = ({ waiting, running }: Machine): number => waiting.length + running.length;

const shorter = (a: Machine, b: Machine): Machine => (loadOf(b) < loadOf(a) ? b : a);

type Choose = (alive: readonly Machine[]) => Machine;

const balancerOf = (kind: Cluster['balancer'], random: () => number): Choose => {
  let next = 0;
  const any: Choose = (alive) => alive[Math.floor(random() * alive.length)]!;
  switch (kind) {
    case 'random':
      return any;
    case 'round-robin':
      return (alive) => alive[next++ % alive.length]!;
    case 'two-choices':
      return (alive) => shorter(any(alive), any(alive));
    case 'shortest':
      return (alive) => alive.reduce(shorter);
  }
};

const startRun = (machine: Machine, now: number, { service, maxBatch }: Cluster): void => {
  if (machine.running.length > 0 || machine.waiting.length === 0) return;
  machine.running = machine.waiting.splice(0, maxBatch);
  const takesMs = service.fixedMs + service.eachMs * machine.running.length;
  machine.endsAt = now + takesMs;
  machine.busyMs += takesMs;
  machine.runs++;
};

const quantileOf = (sorted: Float64Array, level: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(level * sorted.length))] ?? Number.NaN;

/** Runs the events until every request was answered or refused. */
export const simulate = (cluster: Cluster): Outcome => {
  const random = randomSource(cluster.seed);
  const choose = balancerOf(cluster.balancer, random);
  const machines = Array.from({ length: cluster.machines }, newMachine);
  const times: number[] = [];
  const arrivedAt: number[] = [];
  let [refused, repeated, now, arrivals, isKilled] = [0, 0, 0, 0, false];
  const gap = (): number => (-Math.log(1 - random()) * 1000) / cluster.rate;
  let nextArrival = gap();

  const offer = (request: number): void => {
    const alive = machines.filter((machine) => machine.isAlive);
    const machine = alive.length > 0 ? choose(alive) : undefined;
    if (!machine || machine.waiting.length >= cluster.maxQueue) {
      refused++;
      return;
    }
    machine.waiting.push(request);
    startRun(machine, now, cluster);
  };
  const finish = (machine: Machine): void => {
    for (const request of machine.running)
      times.push(now - arrivedAt[request]! + cluster.overheadMs);
    machine.running = [];
    machine.endsAt = Number.POSITIVE_INFINITY;
    startRun(machine, now, cluster);
  };
  const kill = (machine: Machine): void => {
    isKilled = true;
    machine.isAlive = false;
    if (machine.running.length > 0) machine.busyMs -= machine.endsAt - now;
    machine.endsAt = Number.POSITIVE_INFINITY;
    const lost = [...machine.running, ...machine.waiting.splice(0)];
    machine.running = [];
    repeated += lost.length;
    for (const request of lost) offer(request);
  };

  const killAt = (): number =>
    isKilled ? Number.POSITIVE_INFINITY : (cluster.killAtMs ?? Number.POSITIVE_INFINITY);
  for (;;) {
    const first = machines.reduce((a, b) => (b.endsAt < a.endsAt ? b : a));
    const arrival = arrivals < cluster.requests ? nextArrival : Number.POSITIVE_INFINITY;
    now = Math.min(first.endsAt, arrival, killAt());
    if (now === Number.POSITIVE_INFINITY) break;
    if (now === killAt()) kill(machines[0]!);
    else if (now === first.endsAt) finish(first);
    else {
      arrivedAt.push(now);
      offer(arrivals++);
      nextArrival = now + gap();
    }
    if (arrivals === cluster.requests && times.length + refused === arrivals) break;
  }

  const sorted = Float64Array.from(times).sort();
  const runs = machines.reduce((sum, machine) => sum + machine.runs, 0);
  const busyMs = machines.reduce((sum, machine) => sum + machine.busyMs, 0);
  return {
    answered: times.length,
    refused,
    repeated,
    throughput: (times.length * 1000) / now,
    utilization: busyMs / (now * cluster.machines),
    meanBatch: times.length / runs,
    meanMs: times.reduce((sum, time) => sum + time, 0) / times.length,
    p50Ms: quantileOf(sorted, 0.5),
    p99Ms: quantileOf(sorted, 0.99),
  };
};
