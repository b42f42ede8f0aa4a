/** A run without any fault: its latency, its loss, and the proof that there was no fault. */
import { METRICS } from '../../contracts/metrics.ts';
import { HeuristicPolicy } from '../../policy/heuristic.ts';
import { type HarnessOptions, isInjected } from '../options.ts';
import { histogram, mean } from '../percentile.ts';
import type { Measured } from '../result.ts';
import { blockFor } from '../stall.ts';
import {
  openWorkbench,
  STEPS_PER_EPOCH,
  type Workbench,
  type WorkbenchChanges,
} from '../workbench.ts';
import { histogramsOf, rssPeakBytes, type ScenarioContext, valuesOf } from './scenario.ts';

const SLOW_MS = 900;

/** Faults lie in the middle of the second judged epoch, or of the only one. */
const faultAt = ({ warmup, epochs }: HarnessOptions): number =>
  (warmup + Math.min(1, epochs - 1)) * STEPS_PER_EPOCH + Math.ceil(STEPS_PER_EPOCH / 2);

/** As many judged epochs are slow as it takes for the p95 to be one of them: of many, one would not show. */
export const slowEpochs = (epochs: number): number => epochs - Math.floor(0.95 * (epochs - 1));

/** In the middle of each of the last epochs. */
const isSlowAt = ({ warmup, epochs }: HarnessOptions, batch: number): boolean => {
  const epoch = Math.floor((batch - 1) / STEPS_PER_EPOCH);
  const isMiddle = (batch - 1) % STEPS_PER_EPOCH === Math.ceil(STEPS_PER_EPOCH / 2) - 1;
  return isMiddle && epoch >= warmup + epochs - slowEpochs(epochs);
};

const failingPolicy = (): HeuristicPolicy => {
  const policy = new HeuristicPolicy();
  policy.evaluate = () => Promise.reject(new Error('injected'));
  return policy;
};

const faultOf = (options: HarnessOptions): Partial<WorkbenchChanges> => {
  const at = faultAt(options);
  const fails = isInjected(options, 'failed-epoch');
  const isSlow = isInjected(options, 'slow-epoch');
  return {
    ...((fails || isSlow) && {
      spoil: (batch, { label }) => {
        if (fails && batch === at) (label!.data as Float32Array).fill(Number.NaN);
        if (isSlow && isSlowAt(options, batch)) blockFor(SLOW_MS);
      },
    }),
    ...(isInjected(options, 'tamiyo-error') && { policy: failingPolicy() }),
  };
};

const finalLoss = ({ recorder }: Workbench): number | null => {
  const last = recorder.named('training.epoch').at(-1)?.attributes.validation_loss;
  return typeof last === 'number' ? last : null;
};

const metricsOf = (bench: Workbench, options: HarnessOptions): Measured['metrics'] => {
  const { recorder, telemetry, tamiyo } = bench;
  const { warmup, epochs, batchSize } = options;
  const all = valuesOf(telemetry, METRICS.epochLatency);
  const judged = all.slice(warmup);
  const seconds = judged.reduce((sum, ms) => sum + ms, 0) / 1000;
  const series = judged.length * STEPS_PER_EPOCH * batchSize;
  const failed = recorder.named('training.epoch').filter((one) => one.attributes.is_clean !== true);
  const { timeouts, errors } = tamiyo.counters();
  return {
    epochs: judged.length,
    latency_mean_ms: mean(judged),
    latency_p95_ms: histogram(judged).p95,
    accuracy_final: bench.accuracies.at(-1) ?? null,
    loss_final: finalLoss(bench),
    throughput_series_per_s: seconds > 0 ? series / seconds : null,
    rss_peak_bytes: rssPeakBytes(),
    failed_epochs: failed.length,
    epochs_missing: Math.max(0, warmup + epochs - all.length),
    policy_failures: timeouts + errors,
    restores: recorder.count('tolaria.rollback.restored'),
  };
};

const detailsOf = (bench: Workbench, { warmup }: HarnessOptions): Measured['details'] => {
  const { recorder, telemetry, tamiyo, adaptation, trainer, accuracies } = bench;
  const all = valuesOf(telemetry, METRICS.epochLatency);
  return {
    durations_ms: all,
    warmup_ms: all.slice(0, warmup),
    losses: recorder.named('training.epoch').map((one) => one.attributes.validation_loss),
    accuracies,
    tamiyo_evaluations: tamiyo.counters().asked,
    kasmina_commands: adaptation.commandsApplied,
    halted: trainer.emergencyLevel === 'halt',
    concurrency: 1,
    timeout_every: null,
  };
};

export const steadyTrain = async (
  options: HarnessOptions,
  { stream }: ScenarioContext,
): Promise<Measured> => {
  const { warmup, epochs } = options;
  await using bench = await openWorkbench(options, {
    epochs: warmup + epochs,
    ...(stream && { stream }),
    ...faultOf(options),
  });
  const { trainer, recorder, telemetry, tamiyo } = bench;
  await trainer.open();
  await trainer.run();
  return {
    metrics: metricsOf(bench, options),
    histograms: {
      ...histogramsOf(telemetry, [METRICS.graphBuild, METRICS.graphRun]),
      [METRICS.epochLatency]: histogram(valuesOf(telemetry, METRICS.epochLatency).slice(warmup)),
      [METRICS.policyLatency]: histogram(tamiyo.latenciesMs),
    },
    packets: recorder.finish(),
    details: detailsOf(bench, options),
  };
};
