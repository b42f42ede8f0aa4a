/**
 * The first learned Tamiyo: when a seed is germinated, and of which blueprint, is decided by a linear value for each
 * choice, learned from recorded runs by regression on what the runs came to. Seeds that live follow the rules.
 */
import type { Command, Intent } from '../contracts/commands.ts';
import type { RunState } from '../contracts/run-state.ts';
import type { Episode } from './episode.ts';
import { HeuristicPolicy } from './heuristic.ts';
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

/** What the rules say about seeds that live; undefined where a seed could be germinated or nothing is to be done. */
const ruleFor = (rules: HeuristicPolicy, state: RunState): Intent | undefined => {
  const intent = rules.decide(state);
  return intent.kind === 'WAIT' || intent.kind === 'GERMINATE' ? undefined : intent;
};

const openChoices = (state: RunState): readonly Choice[] =>
  choicesOf(state).filter(({ intent }) => intent.kind === 'WAIT' || intent.kind === 'GERMINATE');

export class LearnedPolicy implements Policy {
  readonly name = 'learned';
  readonly #weights: LearnedWeights;
  readonly #rules: HeuristicPolicy;
  readonly #now: () => number;

  constructor(weights: LearnedWeights, now: () => number = () => performance.now()) {
    this.#weights = weights;
    this.#rules = new HeuristicPolicy({}, now);
    this.#now = now;
  }

  async evaluate(state: RunState): Promise<Command> {
    return issue(this.decide(state), state, this.#now());
  }

  decide(state: RunState): Intent {
    const rule = ruleFor(this.#rules, state);
    if (rule) return rule;
    return openChoices(state).reduce((best, one) =>
      worthOf(this.#weights, one) > worthOf(this.#weights, best) ? one : best,
    ).intent;
  }

  state(): unknown {
    return this.#rules.state();
  }

  load(state: unknown): void {
    this.#rules.load(state);
  }
}

/** Share of the epochs with room in which the exploring policy germinates. */
const EXPLORE = 0.3;

/** Germinates at random, so that there is something to learn from. */
export class ExploringPolicy implements Policy {
  readonly name = 'exploring';
  readonly #random: () => number;
  readonly #rules = new HeuristicPolicy();

  constructor(random: () => number) {
    this.#random = random;
  }

  async evaluate(state: RunState): Promise<Command> {
    const rule = ruleFor(this.#rules, state);
    const [wait, ...seeds] = openChoices(state);
    const isGrowing = this.#random() < EXPLORE;
    const drawn = seeds[Math.floor(this.#random() * seeds.length)];
    const choice = isGrowing && drawn ? drawn : wait!;
    return issue(rule ?? choice.intent, state, performance.now());
  }

  state(): unknown {
    return this.#rules.state();
  }

  load(state: unknown): void {
    this.#rules.load(state);
  }
}
