/** A whole training as the scenarios use it: host, adapters, Kasmina, Tamiyo and Tolaria, with nothing faked. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Feeds, Graph } from '@tollama/graph';
import { Breaker, KASMINA_BREAKER, TOLARIA_BREAKER } from '../breaker/breaker.ts';
import { CheckpointThread } from '../checkpoint/checkpoint-thread.ts';
import { systemClock } from '../clock/clock.ts';
import { seededRandom } from '../clock/seeded-random.ts';
import { METRICS } from '../contracts/metrics.ts';
import { RandomStream } from '../data/random-stream.ts';
import { Adaptation } from '../kasmina/adaptation.ts';
import { SeedManager } from '../kasmina/seed-manager.ts';
import type { Slot } from '../kasmina/seed-plan.ts';
import { SeededStep } from '../kasmina/seeded-step.ts';
import { FAST_GATE_LIMITS } from '../lifecycle/gates.ts';
import { HEURISTIC_DEFAULTS, HeuristicPolicy } from '../policy/heuristic.ts';
import { NonceLedger } from '../policy/nonce-ledger.ts';
import type { Policy } from '../policy/policy.ts';
import { Tamiyo } from '../policy/tamiyo.ts';
import type { PreparedAdapter } from '../prefetch/adapter-loader.ts';
import { AdapterStore } from '../prefetch/adapter-store.ts';
import { Prefetcher } from '../prefetch/prefetcher.ts';
import { openTrainingStep } from '../step/open-training-step.ts';
import type { TrainingStep } from '../step/training-step.ts';
import type { TrainingEvent } from '../telemetry/event.ts';
import { Telemetry } from '../telemetry/telemetry.ts';
import { Trainer } from '../trainer/trainer.ts';
import { TRAINER_DEFAULTS, type TrainerOptions } from '../trainer/trainer-options.ts';
import { type AdapterNeed, hostLoader, needKey, writeAdapters } from './adapters.ts';
import {
  directionAccuracy,
  HOST_SLOTS,
  hostBatch,
  hostBatches,
  hostGraph,
  hostParameters,
} from './host.ts';
import type { HarnessOptions } from './options.ts';
import { RunRecorder } from './run-recorder.ts';

export const STEPS_PER_EPOCH = 25;
const VALIDATION_SIZE = 128;
const PROBE_SIZE = 16;
const LEARNING_RATE = 3e-3;
const CACHE_BYTES = 8 * 2 ** 20;
const PREFETCH_TIMEOUT_MS = 1000;
const PARAMETER_BUDGET = 20_000;
const STEP_BUDGET_MS = 1000;
const LEDGER_TTL_MS = 600_000;
const SHUTDOWN_MS = 1000;
const REVISION = 'harness';

/** What a scenario makes different. */
export interface WorkbenchChanges {
  readonly trainer?: Partial<TrainerOptions>;
  readonly epochs: number;
  readonly policy?: Policy;
  readonly policyDeadlineMs?: number;
  /** Of Tamiyo's breaker. */
  readonly cooldownMs?: number;
  readonly spoil?: (batch: number, feeds: Feeds) => void;
  readonly thread?: CheckpointThread;
  readonly wrapStep?: (step: TrainingStep) => TrainingStep;
  readonly isLeaky?: boolean;
  /** The host's own when absent. */
  readonly slots?: readonly Slot[];
  readonly onEpoch?: () => Promise<void>;
  readonly stream?: (event: TrainingEvent) => void;
}

export interface Workbench extends AsyncDisposable {
  readonly trainer: Trainer;
  readonly step: SeededStep;
  readonly telemetry: Telemetry;
  readonly recorder: RunRecorder;
  readonly tamiyo: Tamiyo;
  readonly seeds: SeedManager;
  readonly adaptation: Adaptation;
  /** Directional accuracy of each validation. */
  readonly accuracies: readonly number[];
  readonly folder: string;
  /** What gradients are measured on. */
  readonly probeBatch: Feeds;
}

const BLUEPRINT_IDS = HEURISTIC_DEFAULTS.blueprints;

const needsOf = (slots: readonly Slot[]): readonly AdapterNeed[] =>
  slots.flatMap((slot) =>
    BLUEPRINT_IDS.map((blueprint) => ({ slot, blueprint, revision: REVISION })),
  );

const keyIn =
  (slots: readonly Slot[]) =>
  (slot: string, blueprint: string): string =>
    needKey({ slot: slots.find(({ name }) => name === slot)!, blueprint, revision: REVISION });

/** Builds a step graph and its sessions, and says how long that took. */
const openStep = async (
  graph: Graph,
  options: HarnessOptions,
  telemetry: Telemetry,
): Promise<SeededStep> =>
  SeededStep.open({
    graph,
    trainable: hostParameters(options.seed),
    open: async (variant, trainable, cohortOf) => {
      const started = systemClock.now();
      const step = await openTrainingStep({
        graph: variant,
        trainable,
        cohortOf,
        optimizer: { kind: 'adamw' },
        clipNorm: 1,
        threads: 1,
        device: options.device,
        ...(!options.optimize && { runtime: { graphOptimizationLevel: 'disabled' } }),
      });
      telemetry.metrics.observe(METRICS.graphBuild, systemClock.now() - started);
      return step;
    },
  });

interface Place {
  readonly folder: string;
  readonly telemetry: Telemetry;
  readonly slots: readonly Slot[];
}

const openPrefetcher = async (graph: Graph, seed: number, { folder, telemetry, slots }: Place) => {
  const store = new AdapterStore(join(folder, 'adapters'));
  const needs = needsOf(slots);
  await writeAdapters(store, graph, needs, seed);
  return new Prefetcher<PreparedAdapter>({
    load: hostLoader({ store, graph, needs, clock: systemClock }),
    dispose: async ({ kernel }) => kernel[Symbol.asyncDispose](),
    concurrency: 2,
    timeoutMs: PREFETCH_TIMEOUT_MS,
    maxCacheBytes: CACHE_BYTES,
    clock: systemClock,
    report: telemetry.report,
  });
};

interface Core {
  readonly runId: string;
  readonly slots: readonly Slot[];
  readonly graph: Graph;
  readonly step: SeededStep;
  readonly telemetry: Telemetry;
  readonly prefetcher: Prefetcher<PreparedAdapter>;
  readonly validation: Feeds;
  readonly probeBatch: Feeds;
  readonly random: () => number;
}

const openSeeds = (core: Core, { isLeaky = false }: WorkbenchChanges): SeedManager => {
  const { runId, graph, step, slots, prefetcher, probeBatch, validation, random, telemetry } = core;
  return new SeedManager({
    runId,
    slots,
    step,
    graph,
    prefetcher,
    keyOf: keyIn(slots),
    probeBatch,
    validate: async (one, alpha) => (await one.evaluate(validation, { alpha })).loss,
    parameterBudget: PARAMETER_BUDGET,
    stepBudgetMs: STEP_BUDGET_MS,
    limits: FAST_GATE_LIMITS,
    probeEvery: 1,
    breaker: new Breaker({ ...KASMINA_BREAKER, random }),
    clock: systemClock,
    report: telemetry.report,
    metrics: telemetry.metrics,
    isLeaky,
  });
};

const openTamiyo = ({ random, telemetry }: Core, changes: WorkbenchChanges): Tamiyo => {
  const { cooldownMs = TOLARIA_BREAKER.cooldownMs, policyDeadlineMs } = changes;
  return new Tamiyo({
    policy: changes.policy ?? new HeuristicPolicy(),
    ...(policyDeadlineMs !== undefined && { deadlineMs: policyDeadlineMs }),
    breaker: { ...TOLARIA_BREAKER, cooldownMs, random },
    clock: systemClock,
    report: telemetry.report,
  });
};

const openAdaptation = (
  { runId, telemetry }: Core,
  parts: { readonly seeds: SeedManager; readonly tamiyo: Tamiyo; readonly epochs: number },
): Adaptation =>
  new Adaptation({
    ...parts,
    runId,
    stepsPerEpoch: STEPS_PER_EPOCH,
    parameterBudget: PARAMETER_BUDGET,
    ledger: new NonceLedger(LEDGER_TTL_MS, systemClock.now),
    report: telemetry.report,
  });

const trainerOptions = (folder: string, { epochs, trainer }: WorkbenchChanges): TrainerOptions => ({
  ...TRAINER_DEFAULTS,
  folder: join(folder, 'checkpoints'),
  schedule: { kind: 'constant' },
  learningRate: LEARNING_RATE,
  epochs,
  stepsPerEpoch: STEPS_PER_EPOCH,
  configHash: 'harness',
  ...trainer,
});

/** Validation as the trainer asks for it, with the accuracy beside. */
const validator =
  (validation: Feeds, accuracies: number[], onEpoch: () => Promise<void> = async () => {}) =>
  async (step: TrainingStep): Promise<{ readonly loss: number }> => {
    const { loss, outputs } = await step.evaluate(validation);
    accuracies.push(directionAccuracy(validation, outputs.forecast!));
    await onEpoch();
    return { loss };
  };

const openCore = async (options: HarnessOptions, place: Place): Promise<Core> => {
  const { telemetry, slots } = place;
  const graph = hostGraph();
  const stream = RandomStream.of(options.seed + 1);
  return {
    runId: `harness-${options.seed}`,
    graph,
    slots,
    step: await openStep(graph, options, telemetry),
    telemetry,
    prefetcher: await openPrefetcher(graph, options.seed, place),
    validation: hostBatch(stream, VALIDATION_SIZE),
    probeBatch: hostBatch(stream, PROBE_SIZE),
    random: seededRandom(options.seed),
  };
};

export const openWorkbench = async (
  options: HarnessOptions,
  changes: WorkbenchChanges,
): Promise<Workbench> => {
  const runId = `harness-${options.seed}`;
  const telemetry = new Telemetry({ runId, now: systemClock.now, wall: () => new Date() });
  const recorder = new RunRecorder(telemetry, changes.stream);
  const folder = await mkdtemp(join(tmpdir(), 'tollama-harness-'));
  const core = await openCore(options, { folder, telemetry, slots: changes.slots ?? HOST_SLOTS });
  const { step, prefetcher, probeBatch, validation } = core;
  const seeds = openSeeds(core, changes);
  const tamiyo = openTamiyo(core, changes);
  const adaptation = openAdaptation(core, { seeds, tamiyo, epochs: changes.epochs });
  const accuracies: number[] = [];
  const thread = changes.thread ?? new CheckpointThread();
  const parts = {
    step: changes.wrapStep?.(step) ?? step,
    batches: hostBatches(options.seed + 2, options.batchSize, changes.spoil),
    telemetry,
    thread,
    clock: systemClock,
    validate: validator(validation, accuracies, changes.onEpoch),
    control: adaptation,
  };
  const trainer = new Trainer(parts, trainerOptions(folder, changes));
  const close = async (): Promise<void> => {
    await thread[Symbol.asyncDispose]();
    await prefetcher.shutdown(SHUTDOWN_MS);
    await step[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  };
  const shown = { trainer, step, telemetry, recorder, tamiyo, seeds, adaptation };
  return { ...shown, accuracies, folder, probeBatch, [Symbol.asyncDispose]: close };
};
