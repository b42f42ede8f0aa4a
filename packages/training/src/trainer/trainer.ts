/**
 * Tolaria: the loop of a training. A step is taken over only when its loss and gradient are finite and the governor
 * finds it sane (the commit gate); what went wrong is rolled back; all that the future depends on is in the
 * checkpoints, so that a run that was killed ends with the same weights, bit for bit.
 */
import type { TensorValue } from '@tollama/graph';
import { Governor } from '../governor/governor.ts';
import { restore } from '../rollback/restore.ts';
import { scheduleAt } from '../schedule/schedule.ts';
import { SnapshotStore } from '../snapshot/snapshot-store.ts';
import type { TrainingState } from '../step/training-step.ts';
import type { CapturedState, Tensors } from './captured-state.ts';
import { EarlyStopping } from './early-stopping.ts';
import { Emergency } from './emergency.ts';
import { copyTensors, MovingAverage } from './moving-average.ts';
import { Progress } from './progress.ts';
import { RunCheckpoints } from './run-checkpoints.ts';
import type {
  EpochSummary,
  TrainerOptions,
  TrainerParts,
  TrainingEnd,
  TrainingOutcome,
  Validation,
} from './trainer-options.ts';
import { parseRecord, RECORD_SCHEMA, type TrainingRecord } from './training-record.ts';

const isSame = (a: TensorValue, b: TensorValue): boolean => {
  const [x, y] = [a.data as Float32Array, b.data as Float32Array];
  return (
    Buffer.compare(
      new Uint8Array(x.buffer, x.byteOffset, x.byteLength),
      new Uint8Array(y.buffer, y.byteOffset, y.byteLength),
    ) === 0
  );
};

const areSame = (a: Tensors, b: Tensors): boolean =>
  [...a].every(([name, value]) => {
    const other = b.get(name);
    return other !== undefined && isSame(value, other);
  });

export class Trainer {
  readonly #parts: TrainerParts;
  readonly #options: TrainerOptions;
  readonly #checkpoints: RunCheckpoints;
  readonly #snapshots: SnapshotStore;
  readonly #governor: Governor;
  readonly #early: EarlyStopping;
  readonly #emergency: Emergency;
  readonly #progress: Progress;
  #average: MovingAverage | undefined;
  #epoch = 0;
  #batches = 0;
  #rateFactor = 1;
  #isEpochClean = true;
  #epochLoss = { sum: 0, count: 0 };
  #isConservative = false;
  #epochStartedMs = 0;
  #asked: string | undefined;
  /** Of the latest checkpoint, while it holds the present state. */
  #savedStep: number | undefined;

  constructor(parts: TrainerParts, options: TrainerOptions) {
    this.#parts = parts;
    this.#options = options;
    const { telemetry, thread, clock } = parts;
    const { report } = telemetry;
    const { folder, retention, files, patience, minimumImprovement } = options;
    this.#checkpoints = new RunCheckpoints({ folder, retention, files, thread, report });
    const hash = (bytes: SharedArrayBuffer): Promise<string> => thread.hash(bytes);
    this.#snapshots = new SnapshotStore({ maxBytes: options.snapshotBytes, hash });
    this.#governor = new Governor(options.governor);
    this.#early = new EarlyStopping({ patience, minimumImprovement });
    this.#emergency = new Emergency(options.emergency, report, clock.now);
    this.#progress = new Progress(options, telemetry, clock);
  }

  get emergencyLevel(): Emergency['level'] {
    return this.#emergency.level;
  }

  get isConservative(): boolean {
    return this.#isConservative;
  }

  /** Committed steps. */
  get step(): number {
    return this.#parts.step.state().step;
  }

  get checkpoints(): RunCheckpoints {
    return this.#checkpoints;
  }

  /** Rolls back before the next step, as if the training itself had found a reason. */
  requestRollback(reason: string): void {
    this.#asked = reason;
  }

  /**
   * Goes on from the latest checkpoint, or starts where the step graph stands.
   *
   * @throws TollamaError CHECKPOINT_INVALID for a checkpoint that is damaged or of another training
   */
  async open(): Promise<void> {
    const { step, telemetry } = this.#parts;
    const { averageDecay } = this.#options;
    if (averageDecay !== undefined)
      this.#average = new MovingAverage(averageDecay, step.state().parameters);
    const state = await this.#checkpoints.read('latest', this.#parseRecord);
    if (state) {
      this.#apply(state);
      this.#loadRecord(state.record);
      // A halt that was resumed is forgiven; its history stays in the journal.
      this.#emergency.resume();
    }
    telemetry.at(this.#epoch, this.step);
    telemetry.emit(state ? 'training.resumed' : 'training.started', 'info', {
      epochs: this.#options.epochs,
      steps: this.#totalSteps,
    });
    this.#takeSnapshot();
    await this.#checkFrozen();
    if (state) return;
    await this.#save({ isBest: false, isNeeded: true });
    // Rollback may need it from the first step on.
    await this.#checkpoints.settled();
  }

  /** Runs until the end, a stop, or a halt. The signal ends it after the step under way, with a checkpoint. */
  async run(signal?: AbortSignal): Promise<TrainingOutcome> {
    this.#epochStartedMs = this.#parts.clock.now();
    for (;;) {
      const end = this.#endReached(signal);
      if (end) {
        await this.#checkFrozen();
        return this.#finish(this.#emergency.isHalted ? 'halted' : end);
      }
      await this.#advance();
    }
  }

  #endReached(signal?: AbortSignal): TrainingEnd | undefined {
    if (this.#emergency.isHalted) return 'halted';
    if (this.#early.shouldStop) return 'early_stopped';
    if (this.#epoch >= this.#options.epochs) return 'finished';
    return signal?.aborted ? 'stopped' : undefined;
  }

  async #finish(end: TrainingEnd): Promise<TrainingOutcome> {
    const { telemetry } = this.#parts;
    if (end === 'halted') await this.#checkpoints.saveHalt(this.#capture());
    else if (this.#savedStep !== this.step) await this.#save({ isBest: false, isNeeded: true });
    await this.#checkpoints.settled();
    const { best } = this.#early.state();
    telemetry.emit(`training.${end}`, end === 'halted' ? 'critical' : 'info', {
      best_step: best?.step ?? null,
      best_value: best?.value ?? null,
    });
    return { end, step: this.step, epoch: this.#epoch, best };
  }

  async #advance(): Promise<void> {
    const { step, batches, clock, control } = this.#parts;
    if (this.#asked !== undefined) return this.#rollBack(this.#asked);
    const before = this.step;
    const feeds = batches.next();
    this.#batches++;
    const { schedule, learningRate } = this.#options;
    const { momentum, ...at } = scheduleAt(schedule, learningRate, before);
    const rate = at.learningRate * this.#rateFactor;
    const started = clock.now();
    const alpha = control?.alpha();
    const result = await step.run(feeds, { learningRate: rate, momentum, ...(alpha && { alpha }) });
    const { verdict, reason } = this.#governor.judge(result.finite ? result.loss : Number.NaN);
    if (verdict === 'rollback') return this.#rollBack(`governor_${reason}`);
    if (verdict === 'panic') return this.#refuse(result.loss, reason);
    result.commit();
    this.#average?.update(step.state().parameters, before + 1);
    this.#epochLoss.sum += result.loss;
    this.#epochLoss.count++;
    this.#progress.step(before + 1, {
      loss: result.loss,
      gradientNorm: result.gradientNorm,
      learningRate: rate,
      ms: clock.now() - started,
    });
    await this.#afterStep(before + 1);
  }

  async #afterStep(step: number): Promise<void> {
    const { stepsPerEpoch, checkpointEvery, snapshotEvery } = this.#options;
    const isEpochEnd = step % stepsPerEpoch === 0;
    this.#parts.telemetry.at(this.#epoch, step);
    const isBest = isEpochEnd && (await this.#endEpoch());
    if (this.#emergency.isHalted) return;
    // A checkpoint brings a snapshot with it, so that a resumed run rolls back to the same step as one that was not.
    const isCheckpoint =
      isEpochEnd || (checkpointEvery !== undefined && step % checkpointEvery === 0);
    const isSnapshot = snapshotEvery !== undefined && step % snapshotEvery === 0;
    if (isCheckpoint || isSnapshot) this.#takeSnapshot();
    if (!isCheckpoint) return;
    await this.#checkFrozen();
    if (!this.#emergency.isHalted) await this.#save({ isBest, isNeeded: isBest });
  }

  /** What was trained over a base that changed meanwhile belongs to no base. */
  async #checkFrozen(): Promise<void> {
    const changed = (await this.#parts.frozen?.check()) ?? [];
    if (changed.length === 0) return;
    const tensors = changed.slice(0, 8).join(', ');
    this.#parts.telemetry.emit('tolaria.frozen_changed', 'critical', { tensors });
    this.#emergency.escalate('halt', `frozen parameters changed: ${tensors}`);
  }

  /** A step that may be an accident: its batch is skipped. */
  #refuse(loss: number, reason: string): void {
    this.#isEpochClean = false;
    this.#parts.telemetry.emit('tolaria.step_refused', 'warning', { loss, reason });
    this.#parts.telemetry.metrics.count('tolaria.steps_refused_total');
  }

  /** @returns whether the validation is the best so far */
  async #endEpoch(): Promise<boolean> {
    const { telemetry, clock } = this.#parts;
    const latencyMs = clock.now() - this.#epochStartedMs;
    this.#epoch++;
    telemetry.at(this.#epoch, this.step);
    this.#checkBudget('epoch', latencyMs, this.#options.budgets.epochMs);
    const validation = await this.#validate();
    const { sum, count } = this.#epochLoss;
    const summary: EpochSummary = {
      epoch: this.#epoch,
      step: this.step,
      trainLoss: count > 0 ? sum / count : undefined,
      validation,
      latencyMs,
      isClean: this.#isEpochClean,
    };
    const isBest = this.#early.note(this.step, validation?.loss ?? summary.trainLoss ?? Number.NaN);
    this.#progress.epoch(summary, isBest);
    const isHealthy = await this.#askControl(summary);
    this.#emergency.epochEnded(this.#isEpochClean && isHealthy, this.#isConservative);
    this.#progress.gauges({
      isConservative: this.#isConservative,
      snapshotBytes: this.#snapshots.sizeBytes,
    });
    this.#isEpochClean = true;
    this.#epochLoss = { sum: 0, count: 0 };
    this.#epochStartedMs = clock.now();
    return isBest;
  }

  /** Asks whoever adapts the model; a failure of his makes the run conservative, a clean epoch ends that. */
  async #askControl(summary: EpochSummary): Promise<boolean> {
    const { control, clock, telemetry } = this.#parts;
    if (!control) return true;
    const started = clock.now();
    const answer = await control.epochEnded(summary, this.#isConservative);
    this.#checkBudget('hook', clock.now() - started, this.#options.budgets.hookMs);
    const { isHealthy, isBreakerClosed } = answer;
    const isConservative = this.#isConservative
      ? !(isHealthy && isBreakerClosed && this.#isEpochClean)
      : !isHealthy || !isBreakerClosed;
    if (isConservative !== this.#isConservative) {
      const change = isConservative ? 'entered' : 'cleared';
      telemetry.emit(`tolaria.conservative_mode_${change}`, isConservative ? 'warning' : 'info');
    }
    this.#isConservative = isConservative;
    if (!isBreakerClosed) this.#emergency.escalate('conservative', 'a breaker is open');
    return isHealthy;
  }

  #checkBudget(what: 'epoch' | 'hook', ms: number, budgetMs: number | undefined): void {
    if (budgetMs === undefined || ms <= budgetMs) return;
    this.#isEpochClean = false;
    const event = `${what}_budget_exceeded`;
    this.#parts.telemetry.emit(`tolaria.${event}`, 'warning', { ms, budget_ms: budgetMs });
    if (this.#options.budgets.rollsBack) this.#asked = event;
  }

  /** On the moving average where one is kept: those are the weights that will be used. */
  async #validate(): Promise<Validation | undefined> {
    const { validate, step } = this.#parts;
    if (!validate) return undefined;
    if (!this.#average) return validate(step);
    const own = copyTensors(step.state().parameters);
    step.load({ ...step.state(), parameters: this.#average.values });
    try {
      return await validate(step);
    } finally {
      step.load({ ...step.state(), parameters: own });
    }
  }

  async #rollBack(reason: string): Promise<void> {
    const { telemetry, thread, clock, step } = this.#parts;
    this.#asked = undefined;
    this.#savedStep = undefined;
    this.#isEpochClean = false;
    const from = this.step;
    const { rateFactor, deadlineMs } = this.#options.rollback;
    const result = await restore({
      step: from,
      snapshots: this.#snapshots,
      thread,
      latest: this.#checkpoints.latest,
      parseRecord: this.#parseRecord,
      apply: (state) => this.#apply(state),
      confirm: (state) => areSame(state.parameters, step.state().parameters),
      deadlineMs,
      clock,
    });
    this.#progress.rollback(result, { reason, from });
    if (!result.state) {
      return this.#emergency.escalate('halt', `rollback: ${result.outcome}, ${result.message}`);
    }
    const { record } = result.state;
    this.#rateFactor *= rateFactor;
    this.#epoch = record.epoch;
    this.#epochLoss = { ...record.epoch_loss };
    this.#governor.load(record.governor);
    this.#parts.control?.rolledBack(record.slots, reason);
    telemetry.at(this.#epoch, record.step);
    this.#emergency.rolledBack(this.#batches);
  }

  #apply({ parameters, moments, average, record }: CapturedState): void {
    const { step, births = {} } = record;
    this.#parts.step.load({ parameters, moments, step, births: new Map(Object.entries(births)) });
    if (average) this.#average?.load(average);
  }

  /** Views of the present state: copied by whoever keeps it. */
  #capture(): CapturedState {
    const state = this.#parts.step.state();
    return { ...state, average: this.#average?.values, record: this.#record(state) };
  }

  #record({ step, births = new Map() }: TrainingState): TrainingRecord {
    const { batches, control } = this.#parts;
    const { failed_in_row, rollbacks } = this.#emergency.state();
    const { history, streak } = this.#governor.state();
    return {
      schema: RECORD_SCHEMA,
      step,
      epoch: this.#epoch,
      ...(births.size > 0 && { births: Object.fromEntries(births) }),
      batches: this.#batches,
      sampler: batches.state(),
      rate_factor: this.#rateFactor,
      early_stopping: this.#early.state(),
      governor: { history: [...history], streak },
      emergency: { failed_in_row, rollbacks: [...rollbacks] },
      is_epoch_clean: this.#isEpochClean,
      is_conservative: this.#isConservative,
      epoch_loss: { ...this.#epochLoss },
      config_hash: this.#options.configHash,
      base: this.#options.base,
      slots: control?.state() ?? {},
    };
  }

  #loadRecord(record: TrainingRecord): void {
    this.#epoch = record.epoch;
    this.#batches = record.batches;
    this.#rateFactor = record.rate_factor;
    this.#isEpochClean = record.is_epoch_clean;
    this.#isConservative = record.is_conservative ?? false;
    this.#epochLoss = { ...record.epoch_loss };
    this.#parts.batches.load(record.sampler);
    this.#early.load(record.early_stopping);
    this.#governor.load(record.governor);
    this.#emergency.load(record.emergency);
    this.#parts.control?.load(record.slots);
  }

  readonly #parseRecord = (text: string | undefined): TrainingRecord =>
    parseRecord(text, { config_hash: this.#options.configHash, base: this.#options.base });

  get #totalSteps(): number {
    return this.#options.epochs * this.#options.stepsPerEpoch;
  }

  #takeSnapshot(): void {
    const { isStored, sizeBytes } = this.#snapshots.take(this.#capture());
    const { metrics, report } = this.#parts.telemetry;
    if (isStored) metrics.count('tolaria.rollback.snapshots_total');
    else report('tolaria.rollback.snapshot_refused', 'warning', { bytes: sizeBytes });
  }

  async #save(when: { isBest: boolean; isNeeded: boolean }): Promise<void> {
    const pointers = when.isBest ? (['latest', 'best'] as const) : (['latest'] as const);
    const { isNeeded } = when;
    const isSaved = await this.#checkpoints.save(this.#capture(), { pointers, isNeeded });
    if (isSaved) this.#savedStep = this.step;
  }
}
