/** Tells the bus and the metrics how a training goes: losses, rates, how long it will take. */
import type { Clock } from '../clock/clock.ts';
import { METRICS } from '../contracts/metrics.ts';
import type { RestoreResult } from '../rollback/restore.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { EpochSummary, TrainerOptions } from './trainer-options.ts';

export interface StepFacts {
  readonly loss: number;
  readonly gradientNorm: number;
  readonly learningRate: number;
  readonly ms: number;
}

/** Weight of the latest step in the mean time of a step. */
const LATEST = 0.05;

const defined = (attributes: Readonly<Record<string, number | undefined>>) =>
  Object.fromEntries(
    Object.entries(attributes).filter((entry): entry is [string, number] =>
      Number.isFinite(entry[1]),
    ),
  );

export class Progress {
  readonly #options: Pick<TrainerOptions, 'epochs' | 'stepsPerEpoch' | 'progressEvery'>;
  readonly #telemetry: Telemetry;
  readonly #clock: Clock;
  #stepMs: number | undefined;
  #startedMs: number;

  constructor(options: TrainerOptions, telemetry: Telemetry, clock: Clock) {
    this.#options = options;
    this.#telemetry = telemetry;
    this.#clock = clock;
    this.#startedMs = clock.now();
  }

  step(step: number, { loss, gradientNorm, learningRate, ms }: StepFacts): void {
    const { epochs, stepsPerEpoch, progressEvery } = this.#options;
    const { metrics } = this.#telemetry;
    this.#stepMs = this.#stepMs === undefined ? ms : this.#stepMs + LATEST * (ms - this.#stepMs);
    metrics.count('tolaria.steps_total');
    metrics.observe(METRICS.graphRun, ms);
    metrics.set('tolaria.training.loss', loss);
    metrics.set('tolaria.lr_controller.current_lr', learningRate);
    if (step % progressEvery !== 0 && step !== 1) return;
    const left = epochs * stepsPerEpoch - step;
    this.#telemetry.emit('training.progress', 'info', {
      step,
      steps: epochs * stepsPerEpoch,
      loss,
      gradient_norm: gradientNorm,
      learning_rate: learningRate,
      step_ms: this.#stepMs,
      elapsed_s: (this.#clock.now() - this.#startedMs) / 1000,
      eta_s: (left * this.#stepMs) / 1000,
    });
  }

  epoch(summary: EpochSummary, isBest: boolean): void {
    const { metrics } = this.#telemetry;
    const { validation, latencyMs, isClean, trainLoss } = summary;
    metrics.observe(METRICS.epochLatency, latencyMs);
    metrics.count('tolaria.epochs.total');
    if (!isClean) metrics.count('tolaria.epochs.failed');
    metrics.set('tolaria.training.validation_loss', validation?.loss ?? Number.NaN);
    metrics.set('tolaria.training.mase', validation?.mase ?? Number.NaN);
    metrics.set('tolaria.training.crps', validation?.crps ?? Number.NaN);
    this.#telemetry.emit('training.epoch', 'info', {
      epoch: summary.epoch,
      epochs: this.#options.epochs,
      ...defined({
        train_loss: trainLoss,
        validation_loss: validation?.loss,
        mase: validation?.mase,
        crps: validation?.crps,
      }),
      latency_ms: latencyMs,
      is_best: isBest,
      is_clean: isClean,
    });
  }

  gauges(values: { readonly isConservative: boolean; readonly snapshotBytes: number }): void {
    const { metrics } = this.#telemetry;
    metrics.set('tolaria.mode.conservative', values.isConservative ? 1 : 0);
    metrics.set('tolaria.rollback.fast_size_bytes', values.snapshotBytes);
  }

  rollback(
    { outcome, latencyMs, phasesMs, state, message }: RestoreResult,
    { reason, from }: { readonly reason: string; readonly from: number },
  ): void {
    const { metrics } = this.#telemetry;
    metrics.observe(METRICS.restoreLatency, latencyMs);
    metrics.count(`tolaria.rollback.fast_${outcome === 'fast_hit' ? 'hits' : 'misses'}_total`);
    if (outcome === 'deadline_exceeded') metrics.count(METRICS.deadlineExceeded);
    if (!state) metrics.count('tolaria.rollback.failures_total');
    const name = state ? 'tolaria.rollback.restored' : 'tolaria.rollback.restore_failed';
    this.#telemetry.emit(name, state ? 'warning' : 'critical', {
      reason,
      outcome,
      latency_ms: latencyMs,
      prepare_ms: phasesMs.prepare,
      commit_ms: phasesMs.commit,
      confirm_ms: phasesMs.confirm,
      from_step: from,
      to_step: state?.record.step ?? null,
      steps_lost: state ? from - state.record.step : null,
      message: message ?? null,
    });
  }
}
