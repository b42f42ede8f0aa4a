/** The simulation of a cluster held against queueing theory, and against what must always hold. */
import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { FAMILY_COSTS, serviceTimeOf } from '../bench/scale/service-times.ts';
import { type Cluster, simulate } from '../bench/scale/simulate.ts';

const cluster: Cluster = {
  machines: 1,
  rate: 50,
  service: { fixedMs: 0, eachMs: 10 },
  maxBatch: 1,
  maxQueue: 1e9,
  balancer: 'random',
  overheadMs: 0,
  requests: 100_000,
  seed: 7,
};

test.each([0.3, 0.5, 0.8])('one machine without batches is an M/D/1 queue at load %d', (load) => {
  const { meanMs, utilization } = simulate({ ...cluster, rate: 100 * load });
  // Pollaczek-Khinchine for a constant service time s: s + s * load / (2 * (1 - load)).
  const expected = 10 + (10 * load) / (2 * (1 - load));
  expect(meanMs / expected).toBeGreaterThan(0.95);
  expect(meanMs / expected).toBeLessThan(1.05);
  expect(utilization).toBeCloseTo(load, 1);
});

test.prop([
  fc.record({
    machines: fc.integer({ min: 1, max: 8 }),
    rate: fc.integer({ min: 1, max: 2000 }),
    maxBatch: fc.integer({ min: 1, max: 64 }),
    maxQueue: fc.integer({ min: 1, max: 50 }),
    balancer: fc.constantFrom('random', 'round-robin', 'two-choices', 'shortest' as const),
    seed: fc.integer(),
    killAtMs: fc.integer({ min: 0, max: 2000 }),
  }),
])('every request is answered or refused, whatever dies', (changes) => {
  const outcome = simulate({ ...cluster, ...changes, requests: 500 } as Cluster);
  expect(outcome.answered + outcome.refused).toBe(500);
  expect(outcome.utilization).toBeLessThanOrEqual(1.001);
});

test('batches carry more than runs of one', () => {
  const service = { fixedMs: 8, eachMs: 2 };
  const rate = 300;
  const alone = simulate({ ...cluster, service, rate, maxQueue: 100, requests: 5000 });
  const together = simulate({
    ...cluster,
    service,
    rate,
    maxQueue: 100,
    maxBatch: 32,
    requests: 5000,
  });
  expect(alone.refused).toBeGreaterThan(1000);
  expect(together.refused).toBe(0);
  expect(together.throughput).toBeGreaterThan(0.95 * rate);
});

test('the service times go through what was measured', () => {
  for (const cost of FAMILY_COSTS) {
    const { fixedMs, eachMs } = serviceTimeOf(cost);
    expect(fixedMs + 32 * eachMs).toBeCloseTo(32_000 / cost.batchRate, 0);
  }
});
