/**
 * A training step whose graph changes while it trains: seeds are planted, change their path and go, and what
 * stays keeps its values and its moments.
 */
import { TollamaError } from '@tollama/core/errors';
import type { Feeds, Graph, TensorValue } from '@tollama/graph';
import { plantSeeds, type Seed } from '../slots/plant.ts';
import type {
  Gradients,
  StepResult,
  StepSettings,
  TrainingState,
  TrainingStep,
} from '../step/training-step.ts';
import { planKey } from './seed-plan.ts';

type Values = ReadonlyMap<string, TensorValue>;

export interface SeededStepOptions {
  /** The host's loss, without seeds. */
  readonly graph: Graph;
  /** Trainable tensors of the host; may be empty once there are seeds. */
  readonly trainable: Values;
  /** @param cohortOf the seed that a tensor belongs to; undefined for the host's own */
  readonly open: (
    graph: Graph,
    trainable: Values,
    cohortOf: (name: string) => string | undefined,
  ) => Promise<TrainingStep>;
}

interface Variant {
  readonly seeds: readonly Seed[];
  readonly graph: Graph;
  readonly step: TrainingStep;
}

const copyOf = (value: TensorValue): TensorValue => ({
  ...value,
  data: Float32Array.from(value.data as Float32Array),
});

const isOf = (id: string, name: string): boolean => name.endsWith(`.${id}.weight`);

/** A seed that is in the present state was born before; one that is not, begins now, with moments of zeros. */
const birthOf = (id: string, { parameters, births, step }: TrainingState): number => {
  const isPresent = [...parameters.keys()].some((name) => isOf(id, name));
  return isPresent ? (births?.get(id) ?? 0) : step;
};

export class SeededStep implements TrainingStep {
  readonly #options: SeededStepOptions;
  /** By plan: the sessions of a stage are built once. */
  readonly #variants = new Map<string, Promise<Variant>>();
  readonly #openVariants: Variant[] = [];
  #current: Variant;
  /** Values of seeds that are not in the forward pass yet. */
  readonly #waiting = new Map<string, TensorValue>();
  /** A state of another plan: the plan that belongs to it is taken before the next run. */
  #stashed: TrainingState | undefined;
  /** What is planted, by whoever decides it. */
  planOf: () => readonly Seed[] = () => [];
  /** What seeds are blended with where a caller does not say. */
  alphaOf: () => Readonly<Record<string, number>> = () => ({});

  private constructor(options: SeededStepOptions, current: Variant) {
    this.#options = options;
    this.#current = current;
    this.#openVariants.push(current);
    this.#variants.set(planKey([]), Promise.resolve(current));
  }

  static async open(options: SeededStepOptions): Promise<SeededStep> {
    const step = await options.open(options.graph, options.trainable, () => undefined);
    return new SeededStep(options, { seeds: [], graph: options.graph, step });
  }

  get parameters(): ReadonlyMap<string, readonly number[]> {
    return this.#current.step.parameters;
  }

  get graph(): Graph {
    return this.#current.graph;
  }

  get hostNames(): ReadonlySet<string> {
    return new Set(this.#options.trainable.keys());
  }

  /** First values of a seed, for when it enters the forward pass. */
  give(values: Values): void {
    for (const [name, value] of values) this.#waiting.set(name, value);
  }

  /** Lets a seed's values and moments go; they are in no later state. Answers how many tensors went. */
  forget(id: string): number {
    const names = [...this.#waiting.keys()].filter((name) => isOf(id, name));
    for (const name of names) this.#waiting.delete(name);
    return names.length;
  }

  /** Tensors of a seed that are anywhere in the present state. */
  traces(id: string): { readonly weights: number; readonly moments: number } {
    const { parameters, moments } = this.state();
    const count = (names: Iterable<string>): number =>
      [...names].filter((name) => isOf(id, name)).length;
    return {
      weights: count(parameters.keys()) + count(this.#waiting.keys()),
      moments: count(moments.keys()),
    };
  }

  /** Builds what a plan needs before it is needed. */
  async prepare(seeds: readonly Seed[], warmUp?: (step: TrainingStep) => Promise<unknown>) {
    const { step } = await this.#variant(seeds);
    await warmUp?.(step);
  }

  /** Goes on with these seeds: shared tensors keep values and moments, new ones begin. */
  async plant(seeds: readonly Seed[]): Promise<void> {
    await this.#settle();
    const next = await this.#variant(seeds);
    if (next === this.#current) return;
    next.step.load(this.#stateFor(next, this.#current.step.state()));
    this.#keepBack(next);
    this.#current = next;
  }

  /** The loss graph of a plan. */
  async graphOf(seeds: readonly Seed[]): Promise<Graph> {
    return (await this.#variant(seeds)).graph;
  }

  /** A step of another plan over the present values, to look at: it must not be trained. */
  async probe(seeds: readonly Seed[]): Promise<TrainingStep> {
    await this.#settle();
    const other = await this.#variant(seeds);
    if (other !== this.#current) {
      other.step.load(this.#stateFor(other, this.#current.step.state()));
    }
    return other.step;
  }

  async run(batch: Feeds | readonly Feeds[], settings: StepSettings): Promise<StepResult> {
    await this.#settle();
    return this.#current.step.run(batch, { alpha: this.alphaOf(), ...settings });
  }

  async evaluate(batch: Feeds, settings?: Pick<StepSettings, 'alpha'>) {
    await this.#settle();
    return this.#current.step.evaluate(batch, { alpha: this.alphaOf(), ...settings });
  }

  async gradients(batch: Feeds, settings?: Pick<StepSettings, 'alpha'>): Promise<Gradients> {
    await this.#settle();
    return this.#current.step.gradients(batch, { alpha: this.alphaOf(), ...settings });
  }

  state(): TrainingState {
    return this.#stashed ?? this.#current.step.state();
  }

  load(state: TrainingState): void {
    const { parameters } = this.#current.step;
    const fits =
      parameters.size === state.parameters.size &&
      [...parameters.keys()].every((name) => state.parameters.has(name));
    if (fits) {
      this.#stashed = undefined;
      this.#current.step.load(state);
      return;
    }
    const copied = (values: Values): Values =>
      new Map([...values].map(([name, value]) => [name, copyOf(value)]));
    this.#stashed = {
      ...state,
      parameters: copied(state.parameters),
      moments: copied(state.moments),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#openVariants.map(({ step }) => step[Symbol.asyncDispose]()));
  }

  async #settle(): Promise<void> {
    const state = this.#stashed;
    if (!state) return;
    const next = await this.#variant(this.planOf());
    next.step.load(this.#stateFor(next, state));
    this.#stashed = undefined;
    this.#current = next;
  }

  /** Values of seeds that leave the forward pass wait, in case they come back. */
  #keepBack(next: Variant): void {
    for (const [name, value] of this.#current.step.state().parameters) {
      if (!next.step.parameters.has(name)) this.#waiting.set(name, copyOf(value));
    }
  }

  /** What a plan begins with: present values, else values that wait, else a moment of zeros. */
  #stateFor(next: Variant, present: TrainingState): TrainingState {
    const parameters = new Map(
      [...next.step.parameters.keys()].map((name) => {
        const value = present.parameters.get(name) ?? this.#waiting.get(name);
        if (value) return [name, value] as const;
        throw new TollamaError('INTERNAL', `seed tensor '${name}' has no value`);
      }),
    );
    const moments = [...next.step.state().moments].map(([name, fresh]) => {
      const zeros = { ...fresh, data: new Float32Array(fresh.data.length) };
      return [name, present.moments.get(name) ?? zeros] as const;
    });
    const births = next.seeds.map(({ id }) => [id, birthOf(id, present)] as const);
    return { parameters, moments: new Map(moments), step: present.step, births: new Map(births) };
  }

  #variant(seeds: readonly Seed[]): Promise<Variant> {
    const key = planKey(seeds);
    const known = this.#variants.get(key);
    if (known) return known;
    const opening = this.#openVariant(seeds);
    this.#variants.set(key, opening);
    opening.catch(() => this.#variants.delete(key));
    return opening;
  }

  async #openVariant(seeds: readonly Seed[]): Promise<Variant> {
    const { graph: host, trainable, open } = this.#options;
    const { graph, seeds: planted } = plantSeeds(host, seeds);
    const own = planted.flatMap(({ tensors }) =>
      tensors.map(({ name, shape }): [string, TensorValue] => [
        name,
        {
          dtype: 'float32',
          dims: shape,
          data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
        },
      ]),
    );
    const cohortOf = (name: string) => seeds.find(({ id }) => isOf(id, name))?.id;
    const step = await open(graph, new Map([...trainable, ...own]), cohortOf);
    const variant = { seeds, graph, step };
    this.#openVariants.push(variant);
    return variant;
  }
}
