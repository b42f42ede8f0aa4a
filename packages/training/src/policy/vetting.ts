/** Says no before anything happens: what a command may not ask of this run now, by the factor that blocks it. */
import { BLUEPRINTS } from '../contracts/blueprints.ts';
import { Command } from '../contracts/commands.ts';
import type { BlockedFactor } from '../contracts/outcomes.ts';
import type { RunState, SeedState } from '../contracts/run-state.ts';
import { isActive, NEXT_STAGE } from '../contracts/stages.ts';

export interface VettingContext {
  readonly state: RunState;
  readonly isConservative: boolean;
  /** Trainable parameters that a blueprint would add to a slot. */
  readonly parametersOf: (slot: string, blueprint: string) => number;
  /** Epochs before the slot may germinate again; 0 when it may. */
  readonly cooldownOf: (slot: string) => number;
}

export type Vetting =
  | { readonly kind: 'passed'; readonly command: Command }
  | { readonly kind: 'vetoed'; readonly factor: BlockedFactor; readonly message: string };

type Objection = readonly [BlockedFactor, string] | undefined;

const germinateObjection = (
  { slot, blueprint }: Extract<Command, { kind: 'GERMINATE' }>,
  { state, parametersOf, cooldownOf }: VettingContext,
): Objection => {
  const place = state.slots.find(({ name }) => name === slot);
  if (!place) return ['unknown_slot', `there is no slot '${slot}'`];
  if (!BLUEPRINTS.has(blueprint)) {
    return ['unknown_blueprint', `there is no blueprint '${blueprint}'`];
  }
  if (place.seed) return ['slot_occupied', `slot '${slot}' holds seed '${place.seed.id}'`];
  const cooldown = cooldownOf(slot);
  if (cooldown < 0) return ['cooldown_below_zero', `cooldown of '${slot}' is ${cooldown} epochs`];
  if (cooldown > 0) return ['cooldown', `slot '${slot}' rests for ${cooldown} more epochs`];
  const after = state.parametersUsed + parametersOf(slot, blueprint);
  if (after > state.parameterBudget) {
    return ['capacity', `${after} parameters, ${state.parameterBudget} are allowed`];
  }
  return undefined;
};

const alphaObjection = (seed: SeedState): Objection => {
  if (seed.stage !== 'BLENDING' && seed.stage !== 'HOLDING') {
    return ['wrong_stage', `alpha of '${seed.id}' is fixed in ${seed.stage}`];
  }
  if (seed.alpha !== seed.alphaTarget) {
    return ['alpha_in_motion', `alpha of '${seed.id}' is on its way to ${seed.alphaTarget}`];
  }
  return undefined;
};

const stageObjection = (command: Command, seed: SeedState): Objection => {
  switch (command.kind) {
    case 'ADVANCE':
      return NEXT_STAGE[seed.stage]
        ? undefined
        : ['wrong_stage', `'${seed.id}' cannot advance from ${seed.stage}`];
    case 'FOSSILIZE':
      return seed.stage === 'HOLDING'
        ? undefined
        : ['wrong_stage', `'${seed.id}' is ${seed.stage}; only HOLDING becomes FOSSILIZED`];
    case 'CULL':
      return isActive(seed.stage)
        ? undefined
        : ['wrong_stage', `'${seed.id}' is ${seed.stage} and cannot be culled`];
    case 'SET_ALPHA':
      return alphaObjection(seed);
    default:
      return undefined;
  }
};

/** Conservative mode lets nothing germinate or advance; culls and pauses stay allowed. */
const CONSERVATIVE: readonly Command['kind'][] = ['WAIT', 'CULL', 'PAUSE'];

/** Steps back, and waiting, need no trust in the validation loss. */
const NEEDS_LOSS: readonly Command['kind'][] = ['GERMINATE', 'ADVANCE', 'SET_ALPHA', 'FOSSILIZE'];

const objectionTo = (command: Command, context: VettingContext): Objection => {
  const { state, isConservative } = context;
  if (command.epoch !== state.epoch) {
    return ['stale_epoch', `a command of epoch ${command.epoch} in epoch ${state.epoch}`];
  }
  if (isConservative && !CONSERVATIVE.includes(command.kind)) {
    return ['conservative_mode', `${command.kind} in conservative mode`];
  }
  if (NEEDS_LOSS.includes(command.kind) && !Number.isFinite(state.validationLoss)) {
    return ['nonfinite_validation_loss', `the validation loss is ${state.validationLoss}`];
  }
  if (command.kind === 'GERMINATE') return germinateObjection(command, context);
  if (!('seed' in command)) return undefined;
  const seed = state.slots.find((slot) => slot.seed?.id === command.seed)?.seed;
  return seed
    ? stageObjection(command, seed)
    : ['unknown_seed', `there is no seed '${command.seed}'`];
};

const malformed = (input: unknown, issue: string): Vetting => {
  const isAlpha = (input as { kind?: unknown } | null)?.kind === 'SET_ALPHA';
  return {
    kind: 'vetoed',
    factor: isAlpha ? 'incomplete_alpha_schedule' : 'malformed',
    message: issue,
  };
};

/** @param input what a policy answered; nothing is believed about its form */
export const vet = (input: unknown, context: VettingContext): Vetting => {
  const parsed = Command.safeParse(input);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    return malformed(input, `${path.join('.') || 'command'}: ${message}`);
  }
  const objection = objectionTo(parsed.data, context);
  if (!objection) return { kind: 'passed', command: parsed.data };
  return { kind: 'vetoed', factor: objection[0], message: objection[1] };
};
