import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { seededRandom } from '../clock/seeded-random.ts';
import type { Decision, Episode } from './episode.ts';
import { ExploringPolicy, LearnedPolicy, learn } from './learned.ts';
import { LEARNED_WEIGHTS } from './learned-weights.ts';
import { issue } from './policy.ts';
import { ridge } from './ridge.ts';
import { runState, seedState } from './testing.ts';

property.prop([
  fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 3, maxLength: 3 }),
])('ridge finds the weights that made the targets', (weights) => {
  const random = seededRandom(1);
  const rows = Array.from({ length: 40 }, () => weights.map(() => 2 * random() - 1));
  const targets = rows.map((row) => row.reduce((sum, x, i) => sum + x * weights[i]!, 0));
  ridge(rows, targets, 1e-9).forEach((weight, i) => {
    expect(weight).toBeCloseTo(weights[i]!, 5);
  });
});

/** Runs in which germinating one blueprint ended well and the other badly. */
const episodes = (): readonly Episode[] =>
  Array.from({ length: 20 }, (_, i) => {
    const isGood = i % 2 === 0;
    const state = runState({ epoch: 3 + (i % 5) });
    const blueprint = isGood ? 'head' : 'lora-r4-all';
    const command = issue({ kind: 'GERMINATE', slot: 'slot-1', blueprint }, state, 0);
    const outcome = { status: 'applied', message: '' } as const;
    const decisions: Decision[] = [
      { state, command, outcome },
      { state, command: issue({ kind: 'WAIT' }, state, 0), outcome },
    ];
    const finalLoss = isGood ? 0.2 : 0.9;
    return { runId: `${i}`, policy: 'x', decisions, firstLoss: 1, finalLoss, parameters: 0 };
  });

test('it takes the blueprint that ended well', async () => {
  const policy = new LearnedPolicy(learn(episodes()), () => 0);
  expect(await policy.evaluate(runState())).toMatchObject({ kind: 'GERMINATE', blueprint: 'head' });
});

test('seeds that live follow the rules, whatever was learned', async () => {
  const seed = seedState({ stage: 'HOLDING', contribution: 0.1 });
  const state = runState({}, seed);
  for (const policy of [new LearnedPolicy(LEARNED_WEIGHTS), new ExploringPolicy(() => 0)]) {
    expect(await policy.evaluate(state)).toMatchObject({ kind: 'FOSSILIZE', seed: seed.id });
  }
});

test('without weights it waits', () => {
  expect(new LearnedPolicy({}).decide(runState())).toEqual({ kind: 'WAIT' });
});
