/** Kasmina over a real host, real adapters and a real trainer: the life of seeds, and what it may not touch. */
import { join } from 'node:path';
import { withFolder } from '@tollama/graph/testing/run-graph';
import { expect, test } from 'vitest';
import type { Intent } from '../contracts/commands.ts';
import type { RunState } from '../contracts/run-state.ts';
import { HARNESS_DEFAULTS } from '../harness/options.ts';
import { openWorkbench, type WorkbenchChanges } from '../harness/workbench.ts';
import { issue, type Policy } from '../policy/policy.ts';
import type { TrainingState } from '../step/training-step.ts';
import { leaksOf } from './isolation.ts';
import type { SeedRecord } from './seed-life.ts';

type Decide = (state: RunState) => Intent;

const policyOf = (decide: Decide): Policy => ({
  name: 'scripted',
  evaluate: async (state) => issue(decide(state), state, 0),
  state: () => null,
  load: () => {},
});

const open = (epochs: number, decide: Decide, changes: Partial<WorkbenchChanges> = {}) =>
  openWorkbench(HARNESS_DEFAULTS, { epochs, policy: policyOf(decide), ...changes });

const WAIT: Intent = { kind: 'WAIT' };
const GERMINATE: Intent = { kind: 'GERMINATE', slot: 'head', blueprint: 'lora-r4-all' };

/** Brings one seed as far as it goes. */
const grow: Decide = ({ epoch, slots }) => {
  const seed = slots.find(({ name }) => name === 'head')?.seed;
  if (!seed) return epoch === 1 ? GERMINATE : WAIT;
  switch (seed.stage) {
    case 'BLENDING':
      if (seed.alphaTarget === 1) return { kind: 'ADVANCE', seed: seed.id };
      return { kind: 'SET_ALPHA', seed: seed.id, target: 1, steps: 2, curve: 'linear' };
    case 'HOLDING':
      return { kind: 'FOSSILIZE', seed: seed.id };
    case 'GERMINATED':
    case 'TRAINING':
      return { kind: 'ADVANCE', seed: seed.id };
    default:
      return WAIT;
  }
};

const isSeedTensor = (name: string): boolean => name.includes('.seed-1.');

test('a seed germinates, trains in the dark, blends in and stays or is told why not', async () => {
  await using bench = await open(12, grow);
  await bench.trainer.open();
  await bench.trainer.run();
  const { recorder, seeds, adaptation } = bench;
  const stages = recorder.named('stage_changed').map(({ attributes }) => attributes.to);
  expect(stages.slice(0, 2)).toEqual(['TRAINING', 'BLENDING']);
  expect(stages).toContain('HOLDING');
  const held = adaptation.decisions.filter(({ outcome }) => outcome.status === 'held');
  for (const { outcome } of held) {
    expect('checks_failed' in outcome && outcome.checks_failed.length).toBeTruthy();
  }
  expect(adaptation.decisions.every(({ outcome }) => outcome.status !== 'failed')).toBe(true);
  expect(seeds.isolationViolations).toBe(0);
});

test('in TRAINING the loss and the gradients of the host are those of the host alone, bit for bit', async () => {
  await using bench = await open(3, (state) => (state.epoch < 3 ? grow(state) : WAIT));
  await bench.trainer.open();
  await bench.trainer.run();
  const { step, seeds } = bench;
  expect(seeds.slotStates().find(({ name }) => name === 'head')?.seed?.stage).toBe('TRAINING');
  const batch = bench.probeBatch;
  const seeded = await step.gradients(batch);
  const bare = await (await step.probe([])).gradients(batch);
  expect(Object.is(seeded.loss, bare.loss)).toBe(true);
  for (const [name, { data }] of bare.gradients) {
    expect(seeded.gradients.get(name)!.data).toEqual(data);
  }
  const own = [...seeded.gradients].filter(([name]) => isSeedTensor(name));
  expect(own).toHaveLength(2);
  expect(own.some(([, { data }]) => (data as Float32Array).some((value) => value !== 0))).toBe(
    true,
  );
  expect(leaksOf(step.graph, 'seed-1')).toEqual([]);
});

test('a seed that is not isolated is found by structure and by numbers, and never trains', async () => {
  await using bench = await open(4, grow, { isLeaky: true });
  await bench.trainer.open();
  await bench.trainer.run();
  const { seeds, recorder } = bench;
  expect(seeds.isolationViolations).toBeGreaterThanOrEqual(3);
  const [first] = recorder.named('kasmina.seed.isolation_violation');
  expect(first!.attributes.first).toMatch(/^path into (embed|body)\.weight$/);
  expect(recorder.named('stage_changed')).toEqual([]);
});

test('a cull takes values and moments along, and the slot rests for five epochs', async () => {
  const decide: Decide = (state) => {
    const seed = state.slots.find(({ name }) => name === 'head')?.seed;
    if (state.epoch < 4) return grow(state);
    if (state.epoch === 4 && seed) return { kind: 'CULL', seed: seed.id, reason: 'a test' };
    return GERMINATE;
  };
  await using bench = await open(12, decide);
  const { trainer, step, seeds, recorder } = bench;
  await trainer.open();
  await trainer.run();
  const culled = recorder.events.findIndex(({ name }) => name === 'seed_culled');
  expect(recorder.events[culled]!.attributes).toMatchObject({ seed: 'seed-1', reason: 'a test' });
  expect(step.traces('seed-1')).toEqual({ weights: 0, moments: 0 });
  const vetoes = recorder.named('command_vetoed').map(({ attributes }) => attributes.factor);
  // In epochs 5 to 8; in 9 there is room again, until the next seed takes it.
  expect(vetoes.slice(0, 4)).toEqual(Array.from({ length: 4 }, () => 'slot_occupied'));
  const [, second] = recorder.named('seed_germinated');
  expect(second).toMatchObject({ epoch: 9, attributes: { seed: 'seed-2' } });
  const reset = recorder
    .named('gate_evaluated')
    .find(({ attributes }) => attributes.gate === 'G5r');
  expect(reset!.attributes).toMatchObject({ seed: 'seed-1', passed: true });
  expect(seeds.slotStates().some(({ seed }) => seed?.id === 'seed-1')).toBe(false);
});

test('a rollback to before a seed culls it, and the run goes on', async () => {
  const nan = 60;
  await using bench = await open(5, grow, {
    trainer: { snapshotEvery: 1000 },
    spoil: (batch, { label }) => {
      if (batch === nan) (label!.data as Float32Array).fill(Number.NaN);
    },
  });
  await bench.trainer.open();
  const { end } = await bench.trainer.run();
  expect(end).toBe('finished');
  expect(bench.recorder.count('tolaria.rollback.restored')).toBe(1);
});

test('a seed goes on after a restart in any stage: its adapter comes again, the weights are the same bits', async () => {
  const ends = await withFolder(async (folder) => {
    const states: TrainingState[] = [];
    for (const [name, stops] of [
      ['whole', [undefined]],
      ['parts', [1, 2, 3, 7, undefined]],
    ] as const) {
      for (const stopAfter of stops) {
        const stop = new AbortController();
        await using bench = await open(10, grow, {
          trainer: { folder: join(folder, name) },
          stream: (event) => {
            if (event.name === 'training.epoch' && event.epoch === stopAfter) stop.abort();
          },
        });
        await bench.trainer.open();
        await bench.trainer.run(stop.signal);
        if (stopAfter === undefined) states.push(structuredClone(bench.step.state()));
      }
    }
    return states;
  });
  const [whole, parts] = ends.map(({ parameters }) => parameters);
  expect([...whole!.keys()].some(isSeedTensor)).toBe(true);
  expect(parts).toEqual(whole);
});

test('what is known of seeds that are gone outlives a checkpoint: no id twice, no rest cut short', async () => {
  const decide: Decide = (state) => {
    const seed = state.slots.find(({ name }) => name === 'head')?.seed;
    if (state.epoch === 1) return GERMINATE;
    return state.epoch === 2 && seed ? { kind: 'CULL', seed: seed.id, reason: 'a test' } : WAIT;
  };
  await using bench = await open(8, decide);
  await bench.trainer.open();
  await bench.trainer.run();
  const saved = JSON.parse(JSON.stringify(bench.adaptation.state())) as Record<string, unknown>;
  await using resumed = await open(8, decide);
  resumed.adaptation.load(saved);
  expect(resumed.seeds.past).toEqual({ grown: 1, last_cull: 2 });
});

test('what a checkpoint holds of the slots is JSON and brings them back', async () => {
  await using bench = await open(6, grow);
  await bench.trainer.open();
  await bench.trainer.run();
  const saved = JSON.parse(JSON.stringify(bench.seeds.state())) as Record<string, SeedRecord>;
  const before = bench.seeds.slotStates();
  bench.seeds.load(saved);
  const after = bench.seeds.slotStates();
  expect(after.map(({ seed }) => [seed?.id, seed?.stage, seed?.alpha])).toEqual(
    before.map(({ seed }) => [seed?.id, seed?.stage, seed?.alpha]),
  );
});

test('two seeds in one layer are compared every epoch, and the host stays as it is', async () => {
  const slots = ['head', 'beside'].map((name) => ({ name, modules: ['head'] }));
  const decide: Decide = ({ epoch, slots: seen }) => {
    if (epoch < 3)
      return { kind: 'GERMINATE', slot: slots[epoch - 1]!.name, blueprint: 'lora-r4-all' };
    const waiting = seen.find(({ seed }) => seed?.stage === 'GERMINATED')?.seed;
    return waiting ? { kind: 'ADVANCE', seed: waiting.id } : WAIT;
  };
  await using bench = await open(8, decide, { slots });
  await bench.trainer.open();
  await bench.trainer.run();
  const { seeds, telemetry, step } = bench;
  const [pair, ...others] = seeds.conflicts.last;
  expect(others).toEqual([]);
  expect(pair).toMatchObject({ first: 'seed-1', second: 'seed-2' });
  expect(Math.abs(pair!.cosine)).toBeLessThanOrEqual(1);
  // In the epochs after both had begun to train.
  expect(telemetry.metrics.value('tolaria.grad_agg.microbatches_total')).toBe(4);
  expect(seeds.isolationViolations).toBe(0);
  expect([...step.state().births!].map(([id]) => id)).toEqual(['seed-1', 'seed-2']);
});
