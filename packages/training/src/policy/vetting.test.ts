import { expect, test } from 'vitest';
import type { Intent } from '../contracts/commands.ts';
import { issue } from './policy.ts';
import { runState, seedState } from './testing.ts';
import { type VettingContext, vet } from './vetting.ts';

const context = (over: Partial<VettingContext> = {}): VettingContext => ({
  state: runState(),
  isConservative: false,
  parametersOf: () => 10,
  cooldownOf: () => 0,
  ...over,
});

const GERMINATE: Intent = { kind: 'GERMINATE', slot: 'slot-1', blueprint: 'lora-r2-qv' };
const ADVANCE: Intent = { kind: 'ADVANCE', seed: 'seed-1' };
const RAMP: Intent = { kind: 'SET_ALPHA', seed: 'seed-1', target: 1, steps: 5, curve: 'linear' };

const withSeed = (over: Parameters<typeof seedState>[0]) =>
  context({ state: runState({}, seedState(over)) });

test.each<[string, Intent, VettingContext]>([
  ['germinates', GERMINATE, context()],
  ['advances', ADVANCE, withSeed({})],
  ['blends', RAMP, withSeed({ stage: 'BLENDING' })],
  [
    'culls although the loss is lost',
    { kind: 'CULL', seed: 'seed-1', reason: 'x' },
    context({
      state: runState({ validationLoss: Number.NaN }, seedState()),
      isConservative: true,
    }),
  ],
  [
    'waits although the loss is lost',
    { kind: 'WAIT' },
    context({
      state: runState({ validationLoss: Number.NaN }),
    }),
  ],
])('%s', (_, intent, one) => {
  expect(vet(issue(intent, one.state, 0), one)).toMatchObject({ kind: 'passed', command: intent });
});

test.each<[string, Intent, VettingContext]>([
  [
    'nonfinite_validation_loss',
    GERMINATE,
    context({ state: runState({ validationLoss: Number.NaN }) }),
  ],
  ['slot_occupied', GERMINATE, withSeed({})],
  ['unknown_slot', { ...GERMINATE, slot: 'other' } as Intent, context()],
  ['unknown_blueprint', { ...GERMINATE, blueprint: 'other' } as Intent, context()],
  ['capacity', GERMINATE, context({ parametersOf: () => 1001 })],
  ['cooldown', GERMINATE, context({ cooldownOf: () => 2 })],
  ['cooldown_below_zero', GERMINATE, context({ cooldownOf: () => -1 })],
  ['unknown_seed', ADVANCE, context()],
  ['wrong_stage', ADVANCE, withSeed({ stage: 'HOLDING' })],
  ['wrong_stage', { kind: 'FOSSILIZE', seed: 'seed-1' }, withSeed({})],
  ['wrong_stage', { kind: 'CULL', seed: 'seed-1', reason: 'x' }, withSeed({ stage: 'FOSSILIZED' })],
  ['wrong_stage', RAMP, withSeed({})],
  ['alpha_in_motion', RAMP, withSeed({ stage: 'BLENDING', alpha: 0.2, alphaTarget: 1 })],
  ['conservative_mode', ADVANCE, context({ isConservative: true })],
])('vetoes by %s', (factor, intent, one) => {
  expect(vet(issue(intent, one.state, 0), one)).toMatchObject({ kind: 'vetoed', factor });
});

test.each<[string, unknown, string]>([
  [
    'a command of another epoch',
    { ...issue({ kind: 'WAIT' }, runState(), 0), epoch: 7 },
    'stale_epoch',
  ],
  [
    'a ramp without curve',
    { ...issue(RAMP, runState(), 0), curve: undefined },
    'incomplete_alpha_schedule',
  ],
  [
    'a ramp without ticks',
    { ...issue(RAMP, runState(), 0), steps: undefined },
    'incomplete_alpha_schedule',
  ],
  ['an unknown kind', { ...issue({ kind: 'WAIT' }, runState(), 0), kind: 'GROW' }, 'malformed'],
  ['no identity', { kind: 'WAIT' }, 'malformed'],
  ['nothing', undefined, 'malformed'],
])('refuses %s', (_, command, factor) => {
  expect(vet(command, context())).toMatchObject({ kind: 'vetoed', factor });
});
