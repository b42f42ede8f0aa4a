import { describe, expect, test } from 'vitest';
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
  /** One epoch: the question at its end, and what the trainer says of it. */
  const epoch = async (isClean = true): Promise<string> => {
    const answer = tamiyo.ask(runState());
    await clock.advanceTo(clock.now() + 100);
    const { kind } = await answer;
    tamiyo.epochEnded(isClean);
    return kind;
  };
  return { clock, tamiyo, epoch, events };
};

test('an answer in time, with its latency', async () => {
  const { tamiyo, epoch } = setup([]);
  expect(await epoch()).toBe('command');
  expect(tamiyo.latenciesMs).toEqual([7]);
  expect(tamiyo.isConservative).toBe(false);
});

describe.each(['never answers', 'answers late', 'throws'] as const)('a policy that %s', (how) => {
  test('costs one conservative epoch', async () => {
    const { tamiyo, epoch, events } = setup([how]);
    expect(await epoch()).toBe(how === 'throws' ? 'error' : 'timeout');
    expect(tamiyo.isConservative).toBe(true);
    expect(await epoch()).toBe('not_asked');
    expect(tamiyo.isConservative).toBe(false);
    expect(await epoch()).toBe('command');
    expect(events.filter((name) => name.includes('mode'))).toEqual([
      'tolaria.conservative_mode_entered',
      'tolaria.conservative_mode_cleared',
    ]);
  });
});

test('a late answer is counted and never applied', async () => {
  const { clock, tamiyo, epoch } = setup(['answers late']);
  expect(await epoch()).toBe('timeout');
  expect(tamiyo.counters().late).toBe(0);
  await clock.runAll();
  expect(tamiyo.counters()).toMatchObject({ late: 1, timeouts: 1, answered: 0 });
  expect(tamiyo.latenciesMs).toEqual([]);
});

test('an unclean epoch does not clear conservative mode', async () => {
  const { tamiyo, epoch } = setup(['throws']);
  await epoch();
  await epoch(false);
  expect(tamiyo.isConservative).toBe(true);
  await epoch(true);
  expect(tamiyo.isConservative).toBe(false);
});

test('three failures open the breaker, a trial after its cooldown closes it', async () => {
  const { clock, tamiyo, epoch } = setup(['throws', 'throws', 'throws', 'throws']);
  for (let i = 0; i < 5; i++) await epoch();
  expect(tamiyo.breaker.state).toBe('open');
  expect(await epoch()).toBe('not_asked');
  await clock.advanceTo(clock.now() + 1000);
  expect(await epoch()).toBe('error');
  expect(tamiyo.breaker.state).toBe('open');
  await clock.advanceTo(clock.now() + 1000);
  expect(await epoch()).toBe('command');
  expect(tamiyo.breakerGauge).toBe(1);
  expect(tamiyo.isConservative).toBe(false);
  expect(tamiyo.counters()).toMatchObject({ errors: 4, breakerOpens: 2 });
});
