/** The first Tamiyo: rules over the course of the validation loss. */
import { BLUEPRINTS } from '../contracts/blueprints.ts';
import type { Command, Intent } from '../contracts/commands.ts';
import type { RunState, SeedState } from '../contracts/run-state.ts';
import { isActive } from '../contracts/stages.ts';
import type { Curve } from '../lifecycle/alpha-schedule.ts';
import { issue, type Policy } from './policy.ts';

export interface HeuristicOptions {
  readonly blueprints: readonly string[];
  /** Epochs in a row without progress before a seed germinates. */
  readonly plateauEpochs: number;
  /** Relative progress of an epoch below which it counts as none. */
  readonly plateauImprovement: number;
  readonly firstEpoch: number;
  /** The host is stable when it improved by less than this in each of the last `plateauEpochs`. */
  readonly stableImprovement: number;
  readonly epochsAfterCull: number;
  readonly cullPenalty: number;
  readonly penaltyDecay: number;
  /** Blueprints with this penalty or more are skipped. */
  readonly penaltyLimit: number;
  readonly cullAfterEpochs: number;
  /** Relative loss above the start of the stage. */
  readonly cullWorse: number;
  /** A stage that no gate lets out of ends here. */
  readonly maxEpochsInStage: number;
  readonly advanceImprovement: number;
  readonly fossilizeContribution: number;
  readonly blendingEpochs: number;
  readonly alphaSteps: number;
  readonly alphaCurve: Curve;
}

export const HEURISTIC_DEFAULTS: HeuristicOptions = {
  blueprints: [...BLUEPRINTS.keys()],
  plateauEpochs: 3,
  plateauImprovement: 0.005,
  firstEpoch: 5,
  stableImprovement: 0.03,
  epochsAfterCull: 5,
  cullPenalty: 2,
  penaltyDecay: 0.5,
  penaltyLimit: 3,
  cullAfterEpochs: 5,
  cullWorse: 0.02,
  maxEpochsInStage: 20,
  advanceImprovement: 0.005,
  fossilizeContribution: 0.005,
  blendingEpochs: 10,
  alphaSteps: 5,
  alphaCurve: 'sigmoid',
};

interface HeuristicState {
  readonly penalties: readonly (readonly [string, number])[];
  readonly culled: readonly string[];
  readonly rotation: number;
  readonly epoch: number;
}

/** Relative fall of the loss in each of the last epochs; empty when there were fewer. */
const recentImprovements = (losses: readonly number[], epochs: number): readonly number[] => {
  if (losses.length <= epochs) return [];
  const last = losses.slice(-epochs - 1);
  return last.slice(1).map((loss, i) => (last[i]! - loss) / Math.abs(last[i]!));
};

export class HeuristicPolicy implements Policy {
  readonly name = 'heuristic';
  readonly #options: HeuristicOptions;
  readonly #now: () => number;
  readonly #penalties = new Map<string, number>();
  readonly #culled = new Set<string>();
  #rotation = 0;
  #epoch = 0;

  constructor(
    options: Partial<HeuristicOptions> = {},
    now: () => number = () => performance.now(),
  ) {
    this.#options = { ...HEURISTIC_DEFAULTS, ...options };
    this.#now = now;
  }

  async evaluate(state: RunState): Promise<Command> {
    return issue(this.decide(state), state, this.#now());
  }

  /** The rule of the first seed that needs something; else a new seed; else nothing. */
  decide(state: RunState): Intent {
    this.#remember(state);
    for (const { seed } of state.slots) {
      const intent = seed && isActive(seed.stage) ? this.#forSeed(seed) : undefined;
      if (intent) return intent;
    }
    return this.#germinate(state) ?? { kind: 'WAIT' };
  }

  penaltyOf(blueprint: string): number {
    return this.#penalties.get(blueprint) ?? 0;
  }

  state(): HeuristicState {
    return {
      penalties: [...this.#penalties],
      culled: [...this.#culled],
      rotation: this.#rotation,
      epoch: this.#epoch,
    };
  }

  load(state: unknown): void {
    const { penalties, culled, rotation, epoch } = state as HeuristicState;
    this.#penalties.clear();
    for (const [blueprint, penalty] of penalties) this.#penalties.set(blueprint, penalty);
    this.#culled.clear();
    for (const id of culled) this.#culled.add(id);
    this.#rotation = rotation;
    this.#epoch = epoch;
  }

  /** Penalties decay with the epochs and rise with each cull, whoever culled. */
  #remember({ epoch, slots }: RunState): void {
    const { penaltyDecay, cullPenalty } = this.#options;
    const passed = Math.max(0, epoch - this.#epoch);
    this.#epoch = epoch;
    for (const [blueprint, penalty] of this.#penalties) {
      this.#penalties.set(blueprint, Math.max(0, penalty - penaltyDecay * passed));
    }
    for (const { seed } of slots) {
      if (!seed || isActive(seed.stage) || seed.stage === 'FOSSILIZED') continue;
      if (this.#culled.has(seed.id)) continue;
      this.#culled.add(seed.id);
      this.#penalties.set(seed.blueprint, this.penaltyOf(seed.blueprint) + cullPenalty);
    }
  }

  #forSeed(seed: SeedState): Intent | undefined {
    const { cullAfterEpochs, cullWorse, maxEpochsInStage } = this.#options;
    if (seed.epochsInStage >= cullAfterEpochs && seed.improvement <= -cullWorse) {
      return { kind: 'CULL', seed: seed.id, reason: 'worse_than_at_start_of_stage' };
    }
    if (seed.epochsInStage >= maxEpochsInStage) {
      return { kind: 'CULL', seed: seed.id, reason: 'gate_timeout' };
    }
    return this.#next(seed);
  }

  #next(seed: SeedState): Intent | undefined {
    const { advanceImprovement, fossilizeContribution, alphaSteps, alphaCurve } = this.#options;
    const advance: Intent = { kind: 'ADVANCE', seed: seed.id };
    switch (seed.stage) {
      case 'GERMINATED':
        return advance;
      case 'TRAINING':
        return seed.epochsInStage >= 1 && seed.improvement >= advanceImprovement
          ? advance
          : undefined;
      case 'BLENDING':
        if (seed.alphaTarget !== 1 && seed.alpha === seed.alphaTarget) {
          const ramp = { target: 1, steps: alphaSteps, curve: alphaCurve };
          return { kind: 'SET_ALPHA', seed: seed.id, ...ramp };
        }
        return seed.alpha === 1 && seed.epochsInStage >= this.#options.blendingEpochs
          ? advance
          : undefined;
      case 'HOLDING':
        return seed.contribution !== undefined && seed.contribution > fossilizeContribution
          ? { kind: 'FOSSILIZE', seed: seed.id }
          : undefined;
      default:
        return undefined;
    }
  }

  #germinate(state: RunState): Intent | undefined {
    const { plateauEpochs, plateauImprovement, firstEpoch, stableImprovement, epochsAfterCull } =
      this.#options;
    const slot = state.slots.find(({ seed }) => seed === undefined);
    if (!slot || state.epoch < firstEpoch) return undefined;
    if ((state.epochsSinceCull ?? Number.POSITIVE_INFINITY) < epochsAfterCull) return undefined;
    const recent = recentImprovements(state.validationLosses, plateauEpochs);
    const isStable = recent.length > 0 && recent.every((one) => one < stableImprovement);
    const isPlateau = recent.every((one) => one < plateauImprovement);
    const blueprint = isStable && isPlateau ? this.#nextBlueprint() : undefined;
    return blueprint === undefined ? undefined : { kind: 'GERMINATE', slot: slot.name, blueprint };
  }

  #nextBlueprint(): string | undefined {
    const { blueprints, penaltyLimit } = this.#options;
    for (let i = 0; i < blueprints.length; i++) {
      const at = (this.#rotation + i) % blueprints.length;
      const blueprint = blueprints[at]!;
      if (this.penaltyOf(blueprint) >= penaltyLimit) continue;
      this.#rotation = at + 1;
      return blueprint;
    }
    return undefined;
  }
}
