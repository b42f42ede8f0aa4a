/**
 * Rollbacks that really happen: to a snapshot after batches that are not finite, to a checkpoint where there is no
 * snapshot, and under a deadline that cannot be kept, which must halt the run and leave its weights alone.
 */
import type { TensorValue } from '@tollama/graph';
import { METRICS } from '../../contracts/metrics.ts';
import type { TrainingState, TrainingStep } from '../../step/training-step.ts';
import { type HarnessOptions, isInjected } from '../options.ts';
import { histogram } from '../percentile.ts';
import type { Measured, Packet } from '../result.ts';
import { CorruptingThread, StalledThread } from '../stall.ts';
import {
  openWorkbench,
  STEPS_PER_EPOCH,
  type Workbench,
  type WorkbenchChanges,
} from '../workbench.ts';
import { type ScenarioContext, valuesOf } from './scenario.ts';

/** Deadline of the restores that shall succeed (the default of a training). */
const DEADLINE_MS = 500;
const SNAPSHOT_EVERY = 5;
const SLOW_MS = 700;
/** How much longer than the impossible deadline the storage takes. */
const STALL_FACTOR = 4;
const MIN_STALL_MS = 20;
const NO_DEADLINE_MS = 60_000;
/** No epoch is that short: every epoch exceeds it. */
const TIGHT_EPOCH_MS = 0.001;

const copyState = ({ parameters, moments, step }: TrainingState): TrainingState =>
  structuredClone({ parameters, moments, step });

const bytesOf = ({ data }: TensorValue): Buffer =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength);

const areEqual = (
  a: ReadonlyMap<string, TensorValue>,
  b: ReadonlyMap<string, TensorValue>,
): boolean =>
  a.size === b.size &&
  [...a].every(([name, value]) => {
    const other = b.get(name);
    return other !== undefined && bytesOf(value).equals(bytesOf(other));
  });

/** Bit for bit: parameters, moments and the number of steps. */
export const isSameState = (a: TrainingState, b: TrainingState): boolean =>
  a.step === b.step && areEqual(a.parameters, b.parameters) && areEqual(a.moments, b.moments);

/** A step whose restores come out wrong by one bit. */
const forgetful = (step: TrainingStep): TrainingStep =>
  new Proxy(step, {
    get(target, property) {
      if (property === 'load') {
        return (state: TrainingState): void => {
          // Of its own: a snapshot's memory is shared and must stay as it is.
          const [name, value] = [...state.parameters][0]!;
          const wrong = { ...value, data: Float32Array.from(value.data as Float32Array) };
          bytesOf(wrong)[0]! ^= 1;
          target.load({ ...state, parameters: new Map(state.parameters).set(name, wrong) });
        };
      }
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });

interface Drill {
  readonly outcomes: readonly string[];
  readonly latenciesMs: readonly number[];
  /** Of each restore, whether the state was that of its snapshot. */
  readonly areEqual: readonly boolean[];
  readonly stepsLost: number;
  readonly deadlineExceeded: number;
  readonly kasminaTimeouts: number;
  readonly isHalted: boolean;
  readonly haltEvents: number;
  readonly isUntouched: boolean;
  readonly packets: readonly Packet[];
  readonly durationsMs: readonly number[];
  readonly evaluations: number;
  readonly commands: number;
}

/**
 * Remembers the state at each step, so that a restore can be held to what it should have brought back. A run that
 * was rolled back comes by a step again, with another state; a checkpoint may be of either time.
 */
const watch = (bench: () => Workbench) => {
  const states = new Map<number, TrainingState[]>();
  const equal: boolean[] = [];
  let last: TrainingState | undefined;
  let isUntouched = false;
  return {
    remember: (): void => {
      last = copyState(bench().step.state());
      states.set(last.step, [...(states.get(last.step) ?? []), last]);
    },
    onEvent: (name: string, toStep: unknown): void => {
      if (!/rollback\.restore/.test(name)) return;
      const now = bench().step.state();
      if (name === 'tolaria.rollback.restored') {
        const expected = states.get(Number(toStep)) ?? [];
        equal.push(expected.some((state) => isSameState(state, now)));
      } else isUntouched = last !== undefined && isSameState(last, now);
    },
    result: () => ({ areEqual: equal, isUntouched }),
  };
};

/** Runs one training to its end, with every restore compared. */
const drill = async (
  options: HarnessOptions,
  { stream }: ScenarioContext,
  changes: WorkbenchChanges,
): Promise<Drill> => {
  let opened: Workbench | undefined;
  const watched = watch(() => opened!);
  await using bench = await openWorkbench(options, {
    ...changes,
    spoil: (batch, feeds) => {
      watched.remember();
      changes.spoil?.(batch, feeds);
    },
    // The last state of an epoch is seen by no batch when the next one is rolled back first.
    onEpoch: async () => watched.remember(),
    stream: (event) => {
      watched.onEvent(event.name, event.attributes.to_step);
      stream?.(event);
    },
  });
  opened = bench;
  const { trainer, recorder, telemetry, tamiyo, adaptation } = bench;
  watched.remember();
  await trainer.open();
  const { end } = await trainer.run();
  const restores = recorder.events.filter(({ name }) => /rollback\.restore(d|_failed)$/.test(name));
  return {
    outcomes: restores.map(({ attributes }) => String(attributes.outcome)),
    latenciesMs: restores.map(({ attributes }) => Number(attributes.latency_ms)),
    stepsLost: restores.reduce((sum, one) => sum + Number(one.attributes.steps_lost ?? 0), 0),
    deadlineExceeded: telemetry.metrics.value(METRICS.deadlineExceeded) ?? 0,
    kasminaTimeouts: recorder.count('tolaria.kasmina_timeout'),
    isHalted: end === 'halted',
    haltEvents: recorder.count('tolaria.emergency.halt'),
    packets: recorder.finish(),
    durationsMs: valuesOf(telemetry, METRICS.epochLatency),
    evaluations: tamiyo.counters().asked,
    commands: adaptation.commandsApplied,
    ...watched.result(),
  };
};

/** One batch of each epoch is not finite. */
const spoilEachEpoch = (batch: number, { label }: { readonly label?: TensorValue }): void => {
  const isBad = batch % (STEPS_PER_EPOCH + 1) === Math.ceil(STEPS_PER_EPOCH / 2) + 1;
  if (isBad) (label!.data as Float32Array).fill(Number.NaN);
};

const faultyThread = (options: HarnessOptions): Pick<WorkbenchChanges, 'thread'> => {
  const stallMs = isInjected(options, 'slow-restore') ? SLOW_MS : 0;
  if (isInjected(options, 'corrupt-snapshot')) return { thread: new CorruptingThread(stallMs) };
  return stallMs > 0 ? { thread: new StalledThread(stallMs) } : {};
};

const goodChanges = (options: HarnessOptions): WorkbenchChanges => ({
  epochs: options.epochs,
  spoil: spoilEachEpoch,
  ...faultyThread(options),
  ...(isInjected(options, 'wrong-state') && { wrapStep: forgetful }),
});

const impossible = ({ inject, deadlineMs }: HarnessOptions): WorkbenchChanges => ({
  epochs: 2,
  thread: new StalledThread(Math.max(MIN_STALL_MS, STALL_FACTOR * deadlineMs)),
  trainer: {
    budgets: { epochMs: TIGHT_EPOCH_MS, rollsBack: true },
    rollback: {
      deadlineMs: isInjected({ inject }, 'no-deadline') ? NO_DEADLINE_MS : deadlineMs,
      rateFactor: 0.5,
    },
  },
});

/** Of restores that took the tier they were meant to take. */
const latenciesOf = ({ outcomes, latenciesMs }: Drill, outcome: string): readonly number[] =>
  latenciesMs.filter((_, i) => outcomes[i] === outcome);

interface Drills {
  readonly fast: Drill;
  readonly full: Drill;
  readonly deadline: Drill;
}

const runDrills = async (options: HarnessOptions, context: ScenarioContext): Promise<Drills> => {
  const trainer = { rollback: { deadlineMs: DEADLINE_MS, rateFactor: 0.5 } };
  const fast = await drill(options, context, {
    ...goodChanges(options),
    trainer: { ...trainer, snapshotEvery: SNAPSHOT_EVERY },
  });
  const full = await drill(options, context, {
    ...goodChanges(options),
    trainer: { ...trainer, snapshotBytes: 1, checkpointEvery: SNAPSHOT_EVERY },
  });
  return { fast, full, deadline: await drill(options, context, impossible(options)) };
};

const metricsOf = ({ fast, full, deadline }: Drills): Measured['metrics'] => {
  const fastMs = latenciesOf(fast, 'fast_hit');
  const fullMs = latenciesOf(full, 'full_hit');
  const compared = [...fast.areEqual, ...full.areEqual];
  return {
    rollback_deadline_exceeded: deadline.deadlineExceeded,
    rollback_restore_latency_ms: histogram([...fastMs, ...fullMs]).mean,
    timeout_kasmina: fast.kasminaTimeouts + full.kasminaTimeouts + deadline.kasminaTimeouts,
    restore_fast_ms: histogram(fastMs).p95,
    restore_full_ms: histogram(fullMs).p95,
    state_equal: compared.length > 0 ? Number(compared.every(Boolean)) : null,
    steps_lost: fast.stepsLost + full.stepsLost,
    restores_measured: compared.length,
    halt_emitted: Number(deadline.isHalted && deadline.haltEvents === 1),
    weights_untouched: Number(deadline.isUntouched),
  };
};

const detailsOf = (drills: Drills, { deadlineMs }: HarnessOptions): Measured['details'] => {
  const all = [drills.fast, drills.full, drills.deadline];
  const named = Object.entries(drills) as [string, Drill][];
  return {
    durations_ms: all.flatMap(({ durationsMs }) => durationsMs),
    tamiyo_evaluations: all.reduce((sum, { evaluations }) => sum + evaluations, 0),
    kasmina_commands: all.reduce((sum, { commands }) => sum + commands, 0),
    halted: drills.deadline.isHalted,
    concurrency: 1,
    timeout_every: null,
    outcomes: Object.fromEntries(named.map(([name, { outcomes }]) => [name, outcomes])),
    deadlines_ms: { fast: DEADLINE_MS, full: DEADLINE_MS, deadline: deadlineMs },
  };
};

export const rollback = async (
  options: HarnessOptions,
  context: ScenarioContext,
): Promise<Measured> => {
  const drills = await runDrills(options, context);
  const { fast, full, deadline } = drills;
  const fastMs = latenciesOf(fast, 'fast_hit');
  const fullMs = latenciesOf(full, 'full_hit');
  return {
    metrics: metricsOf(drills),
    histograms: {
      [METRICS.restoreLatency]: histogram([...fastMs, ...fullMs]),
      'tolaria.rollback.restore_fast_ms': histogram(fastMs),
      'tolaria.rollback.restore_full_ms': histogram(fullMs),
    },
    packets: renumbered([...fast.packets, ...full.packets, ...deadline.packets]),
    details: detailsOf(drills, options),
  };
};

const renumbered = (packets: readonly Packet[]): readonly Packet[] =>
  packets.map((packet, i) => ({ ...packet, seq: i + 1 }));
