import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { type BreakerSettings, CircuitBreaker, type Permit } from './circuit-breaker.ts';

const SETTINGS: BreakerSettings = {
  windowMs: 30_000,
  minRequests: 5,
  failureRateToOpen: 1,
  failuresToOpen: undefined,
  cooldownMs: 2000,
  cooldownJitter: 0,
  halfOpenProbes: 2,
  halfOpenSuccesses: 2,
};

const opened = (settings: BreakerSettings = SETTINGS): CircuitBreaker => {
  const breaker = new CircuitBreaker(() => settings);
  for (let i = 0; i < settings.minRequests; i++) breaker.admit(i)!.fail(i);
  expect(breaker.state).toBe('open');
  return breaker;
};

describe('half-open under concurrent load', () => {
  test('probes in flight hold the others back and close the breaker', () => {
    const breaker = opened();
    const permits = Array.from({ length: 8 }, () => breaker.admit(5000));
    expect(permits.filter(Boolean)).toHaveLength(2);
    expect(breaker.state).toBe('half-open');
    permits[0]!.succeed(5100);
    expect(breaker.admit(5100)).toBeUndefined();
    permits[1]!.succeed(5200);
    expect(breaker.state).toBe('closed');
  });

  test('a failed probe opens it again with a new cooldown', () => {
    const breaker = opened();
    const [first, second] = [breaker.admit(5000)!, breaker.admit(5000)!];
    first.fail(5100);
    expect(breaker.state).toBe('open');
    second.succeed(5200);
    expect(breaker.state).toBe('open');
    expect(breaker.admit(7000)).toBeUndefined();
    expect(breaker.admit(7100)).toBeDefined();
  });

  test('a call that did not take place gives its probe back', () => {
    const breaker = opened({ ...SETTINGS, halfOpenProbes: 1, halfOpenSuccesses: 1 });
    breaker.admit(5000)!.release();
    expect(breaker.state).toBe('half-open');
    breaker.admit(5000)!.succeed(5001);
    expect(breaker.state).toBe('closed');
  });

  test('stragglers from before it opened neither close nor open it', () => {
    const breaker = new CircuitBreaker(() => SETTINGS);
    const stragglers = [breaker.admit(0)!, breaker.admit(0)!, breaker.admit(0)!];
    for (let i = 0; i < 5; i++) breaker.admit(i)!.fail(i);
    const probe = breaker.admit(5000)!;
    stragglers[0]!.succeed(5001);
    stragglers[1]!.succeed(5001);
    expect(breaker.state).toBe('half-open');
    stragglers[2]!.fail(5002);
    expect(breaker.state).toBe('half-open');
    probe.succeed(5003);
    breaker.admit(5003)!.succeed(5004);
    expect(breaker.state).toBe('closed');
  });
});

test('a number of failures opens it whatever the rate, and old ones do not count after it closed', () => {
  const breaker = new CircuitBreaker(() => ({ ...SETTINGS, minRequests: 1000, failuresToOpen: 3 }));
  for (let i = 0; i < 50; i++) breaker.admit(i)!.succeed(i);
  for (let i = 0; i < 3; i++) breaker.admit(100)!.fail(100);
  expect(breaker.state).toBe('open');
  for (let i = 0; i < 2; i++) breaker.admit(3000)!.succeed(3000);
  expect(breaker.state).toBe('closed');
  breaker.admit(3100)!.fail(3100);
  expect(breaker.state).toBe('closed');
});

test('a cooldown is longer by a random share', () => {
  const breaker = new CircuitBreaker(
    () => ({ ...SETTINGS, minRequests: 1, cooldownJitter: 0.5 }),
    () => 1,
  );
  breaker.admit(0)!.fail(0);
  expect(breaker.admit(2999)).toBeUndefined();
  expect(breaker.admit(3000)).toBeDefined();
});

/** What happens to a breaker: time passes, a call asks, the oldest call in flight ends. */
const step = fc.oneof(
  fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 3000 }) }),
  fc.record({ kind: fc.constant('ask' as const) }),
  fc.record({ kind: fc.constant('end' as const), how: fc.constantFrom('ok', 'fail', 'release') }),
);

property.prop([fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 4 })])(
  'never more probes out than the budget, and success always closes it in the end',
  (steps, probes) => {
    const settings = { ...SETTINGS, halfOpenProbes: probes, halfOpenSuccesses: 1 };
    const breaker = new CircuitBreaker(() => settings);
    let now = 0;
    let flying: { permit: Permit; isProbe: boolean }[] = [];
    for (const one of steps) {
      if (one.kind === 'wait') now += one.ms;
      else if (one.kind === 'ask') {
        const permit = breaker.admit(now);
        const isProbe = breaker.state === 'half-open';
        if (permit) flying.push({ permit, isProbe });
        if (breaker.state === 'open') expect(permit).toBeUndefined();
      } else {
        const call = flying.shift();
        if (one.how === 'ok') call?.permit.succeed(now);
        else if (one.how === 'fail') call?.permit.fail(now);
        else call?.permit.release();
      }
      if (breaker.state === 'closed') flying = flying.map((call) => ({ ...call, isProbe: false }));
    }
    for (const { permit } of flying) permit.release();
    for (let i = 0; i < 20 && breaker.state !== 'closed'; i++) {
      now += settings.cooldownMs;
      breaker.admit(now)?.succeed(now);
    }
    expect(breaker.state).toBe('closed');
  },
);
