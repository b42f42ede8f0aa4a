/**
 * The first learned Tamiyo: a linear value for each kind of choice, learned from recorded runs by regression on what
 * the runs came to. It takes the choice of the highest value.
 */
import type { Command } from '../contracts/commands.ts';
import type { RunState } from '../contracts/run-state.ts';
import type { Episode } from './episode.ts';
import { type Choice, choicesOf } from './options-of-state.ts';
import { issue, type Policy } from './policy.ts';
import { ridge } from './ridge.ts';

/** Weights by kind of choice. */
export type LearnedWeights = Readonly<Record<string, readonly number[]>>;

/** What a trainable parameter costs, in relative loss a thousand. */
export const PARAMETER_COST = 0.005;
const RIDGE = 3;

/** What the rest of a run is worth: the relative fall of the loss that is still to come, less what seeds cost. */
const returnFrom = ({ finalLoss, firstLoss, parameters }: Episode, state: RunState): number => {
  const fall = (state.validationLoss - finalLoss) / Math.abs(firstLoss);
  const grown = Math.max(0, parameters - state.parametersUsed);
  // A run that blew up says no more than that it did.
  return Math.max(-1, fall) - (PARAMETER_COST * grown) / 1000;
};

const matches = ({ intent }: Choice, command: Command): boolean =>
  Object.entries(intent).every(([field, value]) =>
    field === 'reason' ? true : Reflect.get(command, field) === value,
  );

/** Learns from every decision whose choice is one that this policy could make. */
export const learn = (episodes: readonly Episode[]): LearnedWeights => {
  const samples = new Map<string, { rows: (readonly number[])[]; targets: number[] }>();
  for (const episode of episodes) {
    for (const { state, command } of episode.decisions) {
      const target = returnFrom(episode, state);
      const choice = choicesOf(state).find((one) => matches(one, command));
      if (!choice || !Number.isFinite(target)) continue;
      const own = samples.get(choice.kind) ?? { rows: [], targets: [] };
      own.rows.push(choice.features);
      own.targets.push(target);
      samples.set(choice.kind, own);
    }
  }
  return Object.fromEntries(
    [...samples].map(([kind, { rows, targets }]) => [kind, ridge(rows, targets, RIDGE)]),
  );
};

const worthOf = (weights: LearnedWeights, { kind, features }: Choice): number => {
  const own = weights[kind];
  if (!own) return Number.NEGATIVE_INFINITY;
  return features.reduce((sum, value, i) => sum + value * (own[i] ?? 0), 0);
};

export class LearnedPolicy implements Policy {
  readonly name = 'learned';
  readonly #weights: LearnedWeights;
  readonly #now: () => number;

  constructor(weights: LearnedWeights, now: () => number = () => performance.now()) {
    this.#weights = weights;
    this.#now = now;
  }

  async evaluate(state: RunState): Promise<Command> {
    return issue(this.decide(state).intent, state, this.#now());
  }

  decide(state: RunState): Choice {
    const [first, ...others] = choicesOf(state);
    return others.reduce(
      (best, one) => (worthOf(this.#weights, one) > worthOf(this.#weights, best) ? one : best),
      first!,
    );
  }

  state(): unknown {
    return null;
  }

  load(): void {}
}

/** Tries things out, so that there is something to learn from. */
export class ExploringPolicy implements Policy {
  readonly name = 'exploring';
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Waits a third of the time, culls seldom, else takes any step onward. */
  async evaluate(state: RunState): Promise<Command> {
    const choices = choicesOf(state);
    const onward = choices.filter(({ kind }) => kind !== 'WAIT' && kind !== 'CULL');
    const culls = choices.filter(({ kind }) => kind === 'CULL');
    const draw = this.#random();
    const pool = draw < 0.03 ? culls : draw < 0.6 ? onward : [];
    const choice = pool[Math.floor(this.#random() * pool.length)] ?? choices[0]!;
    return issue(choice.intent, state, performance.now());
  }

  state(): unknown {
    return null;
  }

  load(): void {}
}
