import { TollamaError } from '@tollama/core/errors';
import {
  type Checkpoint,
  type Device,
  type Feeds,
  type Graph,
  openSession,
  type Session,
  type TensorValue,
} from '@tollama/graph';
import { addShare, type GradientShards } from './gradient-shards.ts';
import type { Group } from './layout.ts';
import type { OptimizerOptions } from './optimizer.ts';
import { scalarsOf } from './optimizer-graph.ts';
import { StateBuffers } from './state-buffers.ts';
import {
  buildStepGraphs,
  LOSS,
  NORM,
  nextName,
  SHARE,
  type StepGraphs,
  sumName,
} from './step-graphs.ts';
import type {
  Gradients,
  StepResult,
  StepSettings,
  TrainingState,
  TrainingStep,
} from './training-step.ts';

export interface TrainingStepOptions {
  /**
   * A forward pass with an output `loss` of shape []; other outputs are given by `evaluate`. Tensors of the
   * checkpoint are its parameters; alphas are float32 inputs of shape [] called `alpha` or `alpha.<seed>`.
   */
  readonly graph: Graph;
  /** First values of the trainable tensors, by the names of the graph's parameters; the others are frozen. */
  readonly trainable: ReadonlyMap<string, TensorValue>;
  /** Holds the frozen parameters; may be absent where all are trainable. */
  readonly checkpoint?: Checkpoint | undefined;
  readonly optimizer: OptimizerOptions;
  /** Largest norm over all gradients; not clipped when absent. */
  readonly clipNorm?: number | undefined;
  /** Whether weight decay reaches a tensor; all when absent. */
  readonly isDecayed?: ((name: string, shape: readonly number[]) => boolean) | undefined;
  /** Tensors that begin to train together, by the name of what they belong to (`TrainingState.births`). */
  readonly cohortOf?: ((name: string) => string | undefined) | undefined;
  /** Who computes the gradients of several micro-batches; this step itself, one after the other, when absent. */
  readonly shards?: GradientShards | undefined;
  /** Threads within an operator. */
  readonly threads: number;
  /** Writes onnxruntime's profile of every operator to files of this prefix. */
  readonly profile?: string | undefined;
  /** The CPU when absent. */
  readonly device?: Device | undefined;
  /** onnxruntime's own session options, laid over ours; for measurements. */
  readonly runtime?: Readonly<Record<string, unknown>> | undefined;
}

const ALPHA = /^alpha(\.|$)/;

const scalar = (value: number): TensorValue => ({
  dtype: 'float32',
  dims: [],
  data: Float32Array.of(value),
});

const numberOf = (value: TensorValue | undefined): number => Number(value?.data[0]);

const scalarFeeds = (numbers: Readonly<Record<string, number>>): Feeds =>
  Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, scalar(value)]));

/** The alphas that a graph asks for. */
const alphaFeeds = (graph: Graph, alpha: StepSettings['alpha'] = 1): Feeds => {
  const names = graph.inputs.map(({ name }) => name).filter((name) => ALPHA.test(name));
  const values = names.map((name) => {
    const value = typeof alpha === 'number' ? alpha : alpha[name];
    if (value !== undefined) return [name, value] as const;
    throw new TollamaError('INTERNAL', `alpha has no '${name}', only ${Object.keys(alpha)}`);
  });
  return scalarFeeds(Object.fromEntries(values));
};

type Part = Exclude<keyof StepGraphs, 'groups'>;

class SessionStep implements TrainingStep {
  readonly parameters: ReadonlyMap<string, readonly number[]>;
  readonly #graphs: StepGraphs;
  readonly #options: TrainingStepOptions;
  readonly #buffers: StateBuffers;
  readonly #sessions = new Map<Part, Promise<Session>>();
  /** Gradients of micro-batches: before and after one. */
  #sums: [Map<Group, Float32Array>, Map<Group, Float32Array>] | undefined;
  #pending: StepResult | undefined;

  constructor(options: TrainingStepOptions) {
    const { trainable } = options;
    this.#options = options;
    this.#graphs = buildStepGraphs({ ...options, trainable: [...trainable.keys()] });
    this.#buffers = new StateBuffers(this.#graphs.groups);
    this.#buffers.initialize(trainable);
    this.parameters = new Map([...trainable].map(([name, { dims }]) => [name, dims]));
  }

  /** Sessions open when they are first needed: a trainer without micro-batches needs one. */
  async session(part: Part): Promise<Session> {
    const known = this.#sessions.get(part);
    if (known) return known;
    const { threads, checkpoint, profile, device, runtime } = this.#options;
    const opening = openSession(this.#graphs[part], {
      threads,
      ...(checkpoint && { checkpoint }),
      ...(profile !== undefined && { profile }),
      ...(device && { device }),
      // The same shapes come again and again: memory is planned once.
      runtime: { enableMemPattern: true, ...runtime },
    });
    this.#sessions.set(part, opening);
    opening.catch(() => this.#sessions.delete(part));
    return opening;
  }

  async run(batch: Feeds | readonly Feeds[], settings: StepSettings): Promise<StepResult> {
    this.#pending = undefined;
    const batches = Array.isArray(batch) ? (batch as readonly Feeds[]) : [batch as Feeds];
    const [only] = batches;
    if (!only) throw new TollamaError('INTERNAL', 'a step needs a batch');
    const { loss, norm } =
      batches.length === 1
        ? await this.#whole(only, settings)
        : await this.#split(batches, settings);
    const finite = Number.isFinite(loss) && Number.isFinite(norm);
    const result: StepResult = {
      loss,
      gradientNorm: norm,
      finite,
      commit: () => this.#commit(result),
    };
    this.#pending = result;
    return result;
  }

  #commit(result: StepResult): void {
    const { loss, gradientNorm: norm } = result;
    if (!result.finite) {
      const found = `loss ${loss}, gradient norm ${norm}`;
      throw new TollamaError('TRAINING_DIVERGED', `the step is not finite (${found})`);
    }
    if (this.#pending !== result) {
      throw new TollamaError('INTERNAL', 'only the last step can be committed, and once');
    }
    this.#pending = undefined;
    this.#buffers.swap();
  }

  #scalars(settings: StepSettings): Feeds {
    const step = this.#buffers.step + 1;
    const all = this.#graphs.groups.map((group) =>
      scalarsOf(group, step - this.#buffers.birthOf(group.cohort), settings),
    );
    return scalarFeeds(Object.assign({}, ...all) as Record<string, number>);
  }

  /** What a graph asks for, out of all that there is. */
  #feeds(part: Part, offered: Feeds): Feeds {
    const names = new Set(this.#graphs[part].inputs.map(({ name }) => name));
    const own = Object.entries(offered).filter(([name]) => names.has(name));
    return { ...this.#buffers.feeds(names), ...Object.fromEntries(own) };
  }

  async #whole(batch: Feeds, settings: StepSettings) {
    const session = await this.session('step');
    const alphas = alphaFeeds(this.#graphs.evaluate, settings.alpha);
    // A batch is fed whole, so that a name too many is refused.
    const feeds = {
      ...this.#feeds('step', { ...this.#scalars(settings), ...alphas }),
      ...batch,
    };
    const outputs = { ...this.#buffers.room(), [LOSS]: undefined, [NORM]: undefined };
    const { [LOSS]: loss, [NORM]: norm } = await session.run(feeds, outputs);
    return { loss: numberOf(loss), norm: numberOf(norm) };
  }

  #freshSums(): [Map<Group, Float32Array>, Map<Group, Float32Array>] {
    const learning = this.#graphs.groups.filter(({ rule }) => rule.kind !== 'rest');
    const make = () => new Map(learning.map((group) => [group, new Float32Array(group.size)]));
    this.#sums ??= [make(), make()];
    for (const sum of this.#sums[0].values()) sum.fill(0);
    return this.#sums;
  }

  /** Adds the gradients of one batch; gives its loss. */
  async #accumulate(batch: Feeds, share: number, alpha: StepSettings['alpha']): Promise<number> {
    const session = await this.session('accumulate');
    const [before, after] = this.#sums!;
    const own = this.#feeds('accumulate', {
      ...sumFeeds(before, sumName),
      ...alphaFeeds(this.#graphs.evaluate, alpha),
      [SHARE]: scalar(share),
    });
    const outputs = { ...sumFeeds(after, (group) => nextName(sumName(group))), [LOSS]: undefined };
    const { [LOSS]: loss } = await session.run({ ...own, ...batch }, outputs);
    this.#sums = [after, before];
    return numberOf(loss);
  }

  /** Adds the gradients that others computed, in the order of the batches; gives the mean loss. */
  async #gather(
    batches: readonly Feeds[],
    share: number,
    alpha: StepSettings['alpha'],
  ): Promise<number> {
    const { parameters } = this.#buffers.state();
    const parts = await this.#options.shards!.gradients(batches, parameters, alpha);
    for (const { gradients } of parts) {
      for (const [{ places }, sum] of this.#sums![0]) {
        for (const { name, start, end } of places) {
          addShare(sum.subarray(start, end), gradients.get(name)!.data as Float32Array, share);
        }
      }
    }
    return parts.reduce((sum, { loss }) => sum + share * loss, 0);
  }

  async #split(batches: readonly Feeds[], settings: StepSettings) {
    this.#freshSums();
    const share = 1 / batches.length;
    const { shards } = this.#options;
    let loss = 0;
    if (shards) loss = await this.#gather(batches, share, settings.alpha);
    else {
      for (const batch of batches) {
        loss += share * (await this.#accumulate(batch, share, settings.alpha));
      }
    }
    const session = await this.session('apply');
    const offered = { ...sumFeeds(this.#sums![0], sumName), ...this.#scalars(settings) };
    const outputs = { ...this.#buffers.room(), [NORM]: undefined };
    const { [NORM]: norm } = await session.run(this.#feeds('apply', offered), outputs);
    return { loss, norm: numberOf(norm) };
  }

  async gradients(batch: Feeds, { alpha }: Pick<StepSettings, 'alpha'> = {}): Promise<Gradients> {
    this.#freshSums();
    const loss = await this.#accumulate(batch, 1, alpha);
    const parts = [...this.#sums![0]].flatMap(([{ places }, flat]) =>
      places.map(({ name, shape, start, end }): [string, TensorValue] => [
        name,
        { dtype: 'float32', dims: shape, data: flat.slice(start, end) },
      ]),
    );
    return { loss, gradients: new Map(parts) };
  }

  async evaluate(batch: Feeds, { alpha }: Pick<StepSettings, 'alpha'> = {}) {
    const session = await this.session('evaluate');
    const own = this.#feeds('evaluate', alphaFeeds(this.#graphs.evaluate, alpha));
    const outputs = await session.run({ ...own, ...batch });
    return { loss: numberOf(outputs[LOSS]), outputs };
  }

  state(): TrainingState {
    return this.#buffers.state();
  }

  load(state: TrainingState): void {
    this.#pending = undefined;
    this.#buffers.load(state);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const settled = await Promise.allSettled(this.#sessions.values());
    const opened = settled.filter((result) => result.status === 'fulfilled');
    await Promise.all(opened.map(({ value }) => value[Symbol.asyncDispose]()));
  }
}

const sumFeeds = (
  sums: ReadonlyMap<Group, Float32Array>,
  nameOf: (group: Group) => string,
): Feeds =>
  Object.fromEntries(
    [...sums].map(([group, data]) => [
      nameOf(group),
      { dtype: 'float32' as const, dims: [group.size], data },
    ]),
  );

/**
 * Builds the step graph and makes it ready to run.
 *
 * @throws TollamaError GRAPH_INVALID when the loss has no derivative with regard to a trainable tensor,
 * CHECKPOINT_INVALID when a first value does not fit its parameter
 * @example
 * await using step = await openTrainingStep({ graph, trainable, optimizer: { kind: 'adamw' }, threads: 2 });
 * const result = await step.run(batch, { learningRate: 1e-3 });
 * if (result.finite) result.commit();
 */
export const openTrainingStep = async (options: TrainingStepOptions): Promise<TrainingStep> => {
  const step = new SessionStep(options);
  await step.session('step');
  return step;
};
