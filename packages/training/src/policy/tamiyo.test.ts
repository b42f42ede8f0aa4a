import { expect, test } from 'vitest';
import { type VirtualClock, virtualClock } from '../clock/virtual-clock.ts';
import type { Command } from '../contracts/commands.ts';
import { issue, type Policy } from './policy.ts';
import { Tamiyo } from './tamiyo.ts';
import { runState } from './testing.ts';

type Behaviour = 'answers' | 'answers late' | 'never answers' | 'throws';

/** Behaves as it is told, call by call. */
const scripted = (clock: VirtualClock, script: readonly Behaviour[]): Policy => {
  let call = 0;
  return {
    name: 'scripted',
    evaluate: (state): Promise<Command> => {
      const behaviour = script[call++] ?? 'answers';
      if (behaviour === 'throws') throw new Error('no idea');
      return new Promise((resolve) => {
        if (behaviour === 'never answers') return;
        const command = issue({ kind: 'WAIT' }, state, clock.now());
        clock.after(behaviour === 'answers late' ? 500 : 7, () => resolve(command));
      });
    },
    state: () => null,
    load: () => {},
  };
};

const setup = (script: readonly Behaviour[]) => {
  const clock = virtualClock();
  const events: string[] = [];
  const tamiyo = new Tamiyo({
    policy: scripted(clock, script),
    deadlineMs: 100,
    breaker: { failureThreshold: 3, successThreshold: 1, cooldownMs: 1000 },
    clock,
    report: (name) => events.push(name),
  });
  const ask = async (isConservative = false): Promise<string> => {
    const answer = tamiyo.ask(runState(), isConservative);
    await clock.advanceTo(clock.now() + 100);
    return (await answer).kind;
  };
  return { clock, tamiyo, ask, events };
};

test('an answer in time, with its latency', async () => {
  const { tamiyo, ask } = setup([]);
  expect(await ask()).toBe('command');
  expect(tamiyo.latenciesMs).toEqual([7]);
});

test('an answer of a policy that kept the thread busy past its deadline is late, and not applied', async () => {
  const clock = virtualClock();
  const busy: Policy = {
    ...scripted(clock, []),
    evaluate: async (state) => {
      await clock.advanceTo(clock.now() + 101);
      return issue({ kind: 'WAIT' }, state, 0);
    },
  };
  const tamiyo = new Tamiyo({
    policy: busy,
    deadlineMs: 100,
    breaker: { failureThreshold: 3, successThreshold: 1, cooldownMs: 1000 },
    // Timers are not heard while the thread is busy.
    clock: { now: clock.now, after: () => () => {} },
  });
  expect((await tamiyo.ask(runState(), false)).kind).toBe('timeout');
  expect(tamiyo.counters()).toMatchObject({ answered: 0, timeouts: 1, late: 1 });
  expect(tamiyo.latenciesMs).toEqual([]);
});

test.each([
  ['never answers', 'timeout', 'tolaria.tamiyo_timeout'],
  ['answers late', 'timeout', 'tolaria.tamiyo_timeout'],
  ['throws', 'error', 'tolaria.tamiyo_error'],
] as const)('a policy that %s is an answer as well', async (how, kind, event) => {
  const { tamiyo, ask, events } = setup([how]);
  expect(await ask()).toBe(kind);
  expect(events).toEqual([event]);
  expect(tamiyo.latenciesMs).toEqual([]);
  expect(await ask()).toBe('command');
});

test('conservative mode does not ask', async () => {
  const { tamiyo, ask } = setup([]);
  expect(await ask(true)).toBe('not_asked');
  expect(tamiyo.counters()).toMatchObject({ asked: 0, notAsked: 1 });
});

test('a late answer is counted and never applied', async () => {
  const { clock, tamiyo, ask } = setup(['answers late']);
  expect(await ask()).toBe('timeout');
  expect(tamiyo.counters().late).toBe(0);
  await clock.runAll();
  expect(tamiyo.counters()).toMatchObject({ late: 1, timeouts: 1, answered: 0 });
  expect(tamiyo.latenciesMs).toEqual([]);
});

test('three failures open the breaker; its trial is asked in conservative mode too', async () => {
  const { clock, tamiyo, ask, events } = setup(['throws', 'throws', 'throws', 'throws']);
  for (let i = 0; i < 3; i++) await ask();
  expect(tamiyo.breaker.state).toBe('open');
  expect(events.at(-1)).toBe('tolaria.breaker_opened');
  expect(await ask(true)).toBe('not_asked');
  await clock.advanceTo(clock.now() + 1000);
  expect(await ask(true)).toBe('error');
  expect(tamiyo.breaker.state).toBe('open');
  await clock.advanceTo(clock.now() + 1000);
  expect(await ask(true)).toBe('command');
  expect(tamiyo.breakerGauge).toBe(1);
  expect(tamiyo.counters()).toMatchObject({ errors: 4, breakerOpens: 2 });
});
