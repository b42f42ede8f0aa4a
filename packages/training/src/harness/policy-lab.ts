/**
 * Runs in which policies are recorded and compared: a frozen host that was trained on one kind of series meets another
 * kind, and only seeds (and a bias) can learn it. Every run is a real training.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Checkpoint,
  type Feeds,
  type Graph,
  openCheckpoint,
  type TensorValue,
  writeSafetensors,
} from '@tollama/graph';
import { Breaker, KASMINA_BREAKER } from '../breaker/breaker.ts';
import { systemClock } from '../clock/clock.ts';
import { seededRandom } from '../clock/seeded-random.ts';
import { silent } from '../contracts/metrics.ts';
import { RandomStream } from '../data/random-stream.ts';
import { Adaptation } from '../kasmina/adaptation.ts';
import { SeedManager } from '../kasmina/seed-manager.ts';
import { SeededStep } from '../kasmina/seeded-step.ts';
import { FAST_GATE_LIMITS } from '../lifecycle/gates.ts';
import type { Episode } from '../policy/episode.ts';
import { HEURISTIC_DEFAULTS } from '../policy/heuristic.ts';
import { NonceLedger } from '../policy/nonce-ledger.ts';
import type { Policy } from '../policy/policy.ts';
import { Tamiyo } from '../policy/tamiyo.ts';
import type { PreparedAdapter } from '../prefetch/adapter-loader.ts';
import { AdapterStore } from '../prefetch/adapter-store.ts';
import { Prefetcher } from '../prefetch/prefetcher.ts';
import { openTrainingStep } from '../step/open-training-step.ts';
import type { TrainingStep } from '../step/training-step.ts';
import { hostLoader, needKey, writeAdapters } from './adapters.ts';
import { HOST_SLOTS, hostBatch, hostGraph, hostParameters, type WaveRange } from './host.ts';

const EPOCHS = 30;
const STEPS = 10;
const BATCH = 16;
const VALIDATION = 64;
const LEARNING_RATE = 4e-3;
const PRETRAINING_STEPS = 400;
const BUDGET = 20_000;
const BIAS = 'head.bias';
const REVISION = 'lab';
const KEPT: WaveRange = { shortest: 12, longest: 30, slope: 0.02, noise: 0.1 };

const needs = HOST_SLOTS.flatMap((slot) =>
  HEURISTIC_DEFAULTS.blueprints.map((blueprint) => ({ slot, blueprint, revision: REVISION })),
);

const keyOf = (slot: string, blueprint: string): string =>
  needKey({ slot: HOST_SLOTS.find(({ name }) => name === slot)!, blueprint, revision: REVISION });

/** The kind of series of a run: shorter waves than the host knows, with more or less noise. */
const targetOf = (random: () => number): WaveRange => {
  const shortest = 3 + 4 * random();
  return {
    shortest,
    longest: shortest + 1 + 5 * random(),
    slope: 0.06 * random(),
    noise: 0.05 + 0.25 * random(),
  };
};

/** Values of the host after its training on the waves that all tasks share. */
const pretrainedHost = async (
  graph: Graph,
  seed: number,
): Promise<ReadonlyMap<string, TensorValue>> => {
  await using step = await openTrainingStep({
    graph,
    trainable: hostParameters(seed),
    optimizer: { kind: 'adamw' },
    clipNorm: 1,
    threads: 1,
  });
  const random = RandomStream.of(seed);
  for (let i = 0; i < PRETRAINING_STEPS; i++) {
    const learningRate = LEARNING_RATE * (1 - i / PRETRAINING_STEPS);
    (await step.run(hostBatch(random, BATCH, KEPT), { learningRate })).commit();
  }
  return new Map(
    [...step.state().parameters].map(([name, value]) => [
      name,
      { ...value, data: Float32Array.from(value.data as Float32Array) },
    ]),
  );
};

type LossOf = (one: TrainingStep, alpha?: Readonly<Record<string, number>>) => Promise<number>;

interface SeedParts {
  readonly seed: number;
  readonly step: SeededStep;
  readonly graph: Graph;
  readonly prefetcher: Prefetcher<PreparedAdapter>;
  readonly validation: Feeds;
  readonly lossOf: LossOf;
}

const seedManagerOf = ({ seed, validation, lossOf, ...parts }: SeedParts): SeedManager =>
  new SeedManager({
    ...parts,
    runId: `lab-${seed}`,
    slots: HOST_SLOTS,
    keyOf,
    probeBatch: validation,
    validate: lossOf,
    parameterBudget: BUDGET,
    stepBudgetMs: 10_000,
    limits: FAST_GATE_LIMITS,
    probeEvery: 10,
    breaker: new Breaker({ ...KASMINA_BREAKER, random: seededRandom(seed) }),
    clock: systemClock,
    report: silent,
  });

const adaptationOf = (policy: Policy, seeds: SeedManager, seed: number): Adaptation =>
  new Adaptation({
    runId: `lab-${seed}`,
    epochs: EPOCHS,
    stepsPerEpoch: STEPS,
    parameterBudget: BUDGET,
    tamiyo: new Tamiyo({
      policy,
      breaker: { ...KASMINA_BREAKER, random: seededRandom(seed) },
      clock: systemClock,
    }),
    seeds,
    ledger: new NonceLedger(600_000, systemClock.now),
    report: silent,
  });

export class PolicyLab implements AsyncDisposable {
  readonly #folder: string;
  readonly #checkpoint: Checkpoint;
  readonly #bias: TensorValue;
  readonly #store: AdapterStore;

  private constructor(
    folder: string,
    checkpoint: Checkpoint,
    bias: TensorValue,
    store: AdapterStore,
  ) {
    this.#folder = folder;
    this.#checkpoint = checkpoint;
    this.#bias = bias;
    this.#store = store;
  }

  /** Trains the host that all runs begin with. */
  static async open(seed: number): Promise<PolicyLab> {
    const folder = await mkdtemp(join(tmpdir(), 'tollama-lab-'));
    const graph = hostGraph();
    const values = await pretrainedHost(graph, seed);
    const specs = new Map(
      [...values].map(([name, { dims }]) => [name, { dtype: 'float32' as const, shape: dims }]),
    );
    const file = join(folder, 'model.safetensors');
    await writeSafetensors(file, specs, (name) => values.get(name)!.data);
    const store = new AdapterStore(join(folder, 'adapters'));
    await writeAdapters(store, graph, needs, seed);
    return new PolicyLab(folder, await openCheckpoint(folder), values.get(BIAS)!, store);
  }

  /** One run under a policy; the same seed is the same data, whatever the policy does. */
  async run(policy: Policy, seed: number): Promise<Episode> {
    const parts = await this.#open(policy, seed);
    const { step, adaptation, seeds, lossOf, random, range } = parts;
    try {
      const firstLoss = await lossOf(step);
      let finalLoss = firstLoss;
      for (let epoch = 1; epoch <= EPOCHS; epoch++) {
        const started = systemClock.now();
        let sum = 0;
        for (let i = 0; i < STEPS; i++) {
          const result = await step.run(hostBatch(random, BATCH, range), {
            learningRate: LEARNING_RATE,
          });
          if (result.finite) result.commit();
          sum += result.loss;
        }
        const latencyMs = systemClock.now() - started;
        finalLoss = await lossOf(step);
        const validation = { loss: finalLoss };
        const summary = { epoch, step: epoch * STEPS, trainLoss: sum / STEPS, latencyMs };
        await adaptation.epochEnded({ ...summary, validation, isClean: true }, false);
      }
      finalLoss = await lossOf(step);
      const { decisions } = adaptation;
      const parameters = seeds.parametersUsed;
      const runId = `lab-${seed}`;
      return { runId, policy: policy.name, decisions, firstLoss, finalLoss, parameters };
    } finally {
      await parts[Symbol.asyncDispose]();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  #openStep(graph: Graph): Promise<SeededStep> {
    return SeededStep.open({
      graph,
      trainable: new Map([[BIAS, this.#bias]]),
      open: (variant, trainable, cohortOf) =>
        openTrainingStep({
          graph: variant,
          trainable,
          cohortOf,
          checkpoint: this.#checkpoint,
          optimizer: { kind: 'adamw' },
          clipNorm: 1,
          threads: 1,
        }),
    });
  }

  async #open(policy: Policy, seed: number) {
    const graph = hostGraph();
    const range = targetOf(seededRandom(seed));
    const random = RandomStream.of(seed);
    const validation = hostBatch(RandomStream.of(seed + 1_000_000), VALIDATION, range);
    const step = await this.#openStep(graph);
    const prefetcher = new Prefetcher<PreparedAdapter>({
      load: hostLoader({ store: this.#store, graph, needs, clock: systemClock }),
      dispose: async ({ kernel }) => kernel[Symbol.asyncDispose](),
      concurrency: 1,
      timeoutMs: 10_000,
      maxCacheBytes: 2 ** 24,
      clock: systemClock,
    });
    const lossOf: LossOf = async (one, alpha) =>
      (await one.evaluate(validation, alpha && { alpha })).loss;
    const seeds = seedManagerOf({ seed, step, graph, prefetcher, validation, lossOf });
    const adaptation = adaptationOf(policy, seeds, seed);
    const close = async (): Promise<void> => {
      await prefetcher.shutdown(1000);
      await step[Symbol.asyncDispose]();
    };
    return { step, adaptation, seeds, lossOf, random, range, [Symbol.asyncDispose]: close };
  }
}
