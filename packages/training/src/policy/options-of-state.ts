/** What could be done about each slot now, and how a choice looks in numbers. */
import type { Intent } from '../contracts/commands.ts';
import type { RunState, SeedState, SlotState } from '../contracts/run-state.ts';
import { STAGES, type Stage } from '../contracts/stages.ts';

/** The blueprints between which the learned policy chooses: small, large, and the layer itself. */
export const CHOICES = ['lora-r4-all', 'lora-r16-all', 'head'] as const;

const RAMP = { target: 1, steps: 3, curve: 'cosine' } as const;

export interface Choice {
  readonly intent: Intent;
  /** Kinds have weights of their own. */
  readonly kind: string;
  readonly features: readonly number[];
}

const clip = (value: number, limit: number): number =>
  Number.isFinite(value) ? Math.min(Math.max(value, -limit), limit) : 0;

/** Relative fall of the loss over the last epochs. */
const recentFall = (losses: readonly number[], epochs: number): number => {
  const last = losses.at(-1) ?? Number.NaN;
  const before = losses.at(-1 - epochs) ?? losses[0] ?? Number.NaN;
  return clip((before - last) / Math.abs(before), 1);
};

const stageFeatures = (stage: Stage | undefined): readonly number[] =>
  STAGES.map((one) => Number(one === stage));

/** The same numbers for every choice about a slot. */
const featuresOf = (state: RunState, { seed }: SlotState): readonly number[] => {
  const left = (state.epochs - state.epoch) / state.epochs;
  return [
    1,
    left,
    left * left,
    recentFall(state.validationLosses, 1),
    recentFall(state.validationLosses, 3),
    state.parametersUsed / state.parameterBudget,
    state.slots.filter((slot) => slot.seed !== undefined).length / state.slots.length,
    ...stageFeatures(seed?.stage),
    clip((seed?.epochsInStage ?? 0) / 10, 2),
    clip(seed?.improvement ?? 0, 1),
    clip(seed?.contribution ?? 0, 1),
    Number(seed?.contribution !== undefined),
    seed?.alpha ?? 0,
    clip(Math.log1p(seed?.gradientRatio ?? 0), 3),
    seed?.gradientHealth ?? 0,
  ];
};

/** What the stage of a seed allows beside waiting. */
const intentsFor = (seed: SeedState): readonly Intent[] => {
  const { id } = seed;
  const cull: Intent = { kind: 'CULL', seed: id, reason: 'policy' };
  const advance: Intent = { kind: 'ADVANCE', seed: id };
  switch (seed.stage) {
    case 'GERMINATED':
    case 'TRAINING':
      return [advance, cull];
    case 'BLENDING':
      if (seed.alpha !== seed.alphaTarget) return [cull];
      return seed.alpha === 1 ? [advance, cull] : [{ kind: 'SET_ALPHA', seed: id, ...RAMP }, cull];
    case 'HOLDING':
      return [{ kind: 'FOSSILIZE', seed: id }, cull];
    default:
      return [];
  }
};

const kindOf = (intent: Intent): string =>
  intent.kind === 'GERMINATE' ? `GERMINATE ${intent.blueprint}` : intent.kind;

/** Everything that may be done in this state; waiting is seen from the slot that comes first. */
export const choicesOf = (state: RunState): readonly Choice[] => {
  const choices = state.slots.flatMap((slot) => {
    const features = featuresOf(state, slot);
    const intents: readonly Intent[] = slot.seed
      ? intentsFor(slot.seed)
      : CHOICES.map((blueprint) => ({ kind: 'GERMINATE', slot: slot.name, blueprint }));
    return intents.map((intent) => ({ intent, kind: kindOf(intent), features }));
  });
  const wait = { intent: { kind: 'WAIT' } as const, kind: 'WAIT' };
  const [first] = state.slots;
  return first ? [{ ...wait, features: featuresOf(state, first) }, ...choices] : choices;
};
