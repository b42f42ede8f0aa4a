import { expect, test } from 'vitest';
import type { CommandOutcome } from '../contracts/outcomes.ts';
import { formatEpisodes, parseEpisodes } from './episode.ts';
import { NonceLedger } from './nonce-ledger.ts';
import { issue } from './policy.ts';
import { runState } from './testing.ts';

const APPLIED: CommandOutcome = { status: 'applied', message: '' };

test('a repeat gets the first result until it expires', async () => {
  let now = 0;
  let acts = 0;
  const ledger = new NonceLedger(100, () => now);
  const act = async (): Promise<CommandOutcome> => ({ ...APPLIED, message: `${++acts}` });
  const first = await ledger.once('a', act);
  now = 99;
  expect(await ledger.once('a', act)).toBe(first);
  expect(acts).toBe(1);
  now = 100;
  expect(ledger.size).toBe(0);
  await ledger.once('a', act);
  expect(acts).toBe(2);
});

test('a repeat while the first is under way waits for it', async () => {
  const ledger = new NonceLedger(100, () => 0);
  let finish = (_: CommandOutcome): void => {};
  const first = ledger.once('a', () => new Promise((resolve) => (finish = resolve)));
  const second = ledger.once('a', () => Promise.reject(new Error('carried out twice')));
  finish(APPLIED);
  expect(await second).toBe(await first);
});

test('a recorded run comes back as it was, losses that are no numbers included', () => {
  const state = runState({ validationLoss: Number.NaN, validationLosses: [1, Number.NaN] });
  const command = issue({ kind: 'WAIT' }, state, 0);
  const episode = {
    runId: 'run-1',
    policy: 'heuristic',
    decisions: [{ state, command, outcome: APPLIED }],
    firstLoss: 1,
    finalLoss: 0.5,
    parameters: 0,
  };
  const again = parseEpisodes(formatEpisodes([episode, episode]));
  expect(again).toHaveLength(2);
  expect(again[0]!.decisions[0]!.state.validationLosses).toEqual([1, Number.NaN]);
  expect(() => parseEpisodes('{}\n{')).toThrow('line 2 is no recorded run');
});
