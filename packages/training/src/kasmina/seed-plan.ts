/** How a seed stands in the host's graph at each stage of its life. */
import { TollamaError } from '@tollama/core/errors';
import { BLUEPRINTS, type Blueprint } from '../contracts/blueprints.ts';
import { isInForward, type Stage } from '../contracts/stages.ts';
import { blendPlan } from '../lifecycle/blend.ts';
import type { TargetModules } from '../slots/match-modules.ts';
import type { Seed } from '../slots/plant.ts';
import type { SeedBlueprint } from '../slots/seed.ts';

/** Named linear layers that take one seed at a time. */
export interface Slot {
  readonly name: string;
  readonly modules: TargetModules;
  /** The query and value projections among them, for blueprints that want these; all when absent. */
  readonly queryValue?: TargetModules;
}

export interface PlacedSeed {
  readonly id: string;
  readonly slot: Slot;
  readonly blueprint: string;
  readonly stage: Stage;
}

/** LoRA's alpha over its rank. */
const LORA_SCALING = 2;

/** @throws TollamaError INVALID_REQUEST for an unknown id */
export const blueprintOf = (id: string): Blueprint => {
  const found = BLUEPRINTS.get(id);
  if (found) return found;
  throw new TollamaError('INVALID_REQUEST', `there is no blueprint '${id}'`, {
    hint: `known are ${[...BLUEPRINTS.keys()].join(', ')}`,
  });
};

export const seedBlueprint = (id: string): SeedBlueprint => {
  const blueprint = blueprintOf(id);
  return blueprint.kind === 'lora'
    ? { kind: 'lora', rank: blueprint.rank, scaling: LORA_SCALING }
    : blueprint;
};

export const targetsOf = (slot: Slot, blueprint: string): TargetModules => {
  const { kind, ...rest } = blueprintOf(blueprint) as Blueprint & { targets?: string };
  return kind === 'lora' && rest.targets === 'query-value'
    ? (slot.queryValue ?? slot.modules)
    : slot.modules;
};

/**
 * The seed as the graph takes it. BLENDING and HOLDING share a graph, in which alpha is an input; FOSSILIZED has the
 * open path, with alpha still an input, so that its share can be measured.
 * @param isLeaky plants it without its stop-gradients, which the isolation checks must notice
 */
export const plannedSeed = (
  { id, slot, blueprint, stage }: PlacedSeed,
  isLeaky = false,
): Seed | undefined => {
  if (!isInForward(stage)) return undefined;
  const { operator, isIsolated } = blendPlan(stage);
  return {
    id,
    blueprint: seedBlueprint(blueprint),
    targets: targetsOf(slot, blueprint),
    path: operator === 'straight-through' ? 'straight-through' : 'residual',
    isIsolated: isIsolated && !isLeaky,
    hasAlpha: operator !== 'straight-through',
  };
};

/** Equal for plans that are the same graph. */
export const planKey = (seeds: readonly Seed[]): string =>
  seeds.map(({ id, path, isIsolated }) => `${id}:${path}:${isIsolated}`).join(' ');
