/** A run without any fault: its latency, its loss, and the proof that there was no fault. */
import { METRICS } from '../../contracts/metrics.ts';
import { HeuristicPolicy } from '../../policy/heuristic.ts';
import type { HarnessOptions } from '../options.ts';
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

/** The fault lies in the middle of the second judged epoch, or of the only one. */
const faultAt = ({ warmup, epochs }: HarnessOptions): number =>
  (warmup + Math.min(1, epochs - 1)) * STEPS_PER_EPOCH + Math.ceil(STEPS_PER_EPOCH / 2);

const faultOf = (options: HarnessOptions): Partial<WorkbenchChanges> => {
  const at = faultAt(options);
  switch (options.inject) {
    case 'failed-epoch':
      return {
        spoil: (batch, { label }) => {
          if (batch === at) (label!.data as Float32Array).fill(Number.NaN);
        },
      };
    case 'slow-epoch':
      return { spoil: (batch) => batch === at && blockFor(SLOW_MS) };
    case 'tamiyo-error': {
      const policy = new HeuristicPolicy();
      policy.evaluate = () => Promise.reject(new Error('injected'));
      return { policy };
    }
    default:
      return {};
  }
};

const finalLoss = ({ recorder }: Workbench): number | null => {
  const last = recorder.named('training.epoch').at(-1)?.attributes.validation_loss;
  return typeof last === 'number' ? last : null;
};

export const steadyTrain = async (
  options: HarnessOptions,
  { stream }: ScenarioContext,
): Promise<Measured> => {
  const { warmup, epochs, batchSize } = options;
  const total = warmup + epochs;
  await using bench = await openWorkbench(options, {
    epochs: total,
    ...(stream && { stream }),
    ...faultOf(options),
  });
  const { trainer, recorder, telemetry, tamiyo, adaptation } = bench;
  await trainer.open();
  await trainer.run();
  const all = valuesOf(telemetry, METRICS.epochLatency);
  const judged = all.slice(warmup);
  const { count, p95 } = histogram(judged);
  const seconds = judged.reduce((sum, ms) => sum + ms, 0) / 1000;
  const failed = recorder.named('training.epoch').filter((one) => one.attributes.is_clean !== true);
  const { timeouts, errors, asked } = tamiyo.counters();
  return {
    metrics: {
      epochs: count,
      latency_mean_ms: mean(judged),
      latency_p95_ms: p95,
      accuracy_final: bench.accuracies.at(-1) ?? null,
      loss_final: finalLoss(bench),
      throughput_series_per_s: seconds > 0 ? (count * STEPS_PER_EPOCH * batchSize) / seconds : null,
      rss_peak_bytes: rssPeakBytes(),
      failed_epochs: failed.length,
      epochs_missing: Math.max(0, total - all.length),
      policy_failures: timeouts + errors,
      restores: recorder.count('tolaria.rollback.restored'),
    },
    histograms: {
      ...histogramsOf(telemetry, [METRICS.graphBuild, METRICS.graphRun]),
      [METRICS.epochLatency]: histogram(judged),
      [METRICS.policyLatency]: histogram(tamiyo.latenciesMs),
    },
    packets: recorder.finish(),
    details: {
      durations_ms: all,
      warmup_ms: all.slice(0, warmup),
      losses: recorder.named('training.epoch').map((one) => one.attributes.validation_loss),
      accuracies: bench.accuracies,
      tamiyo_evaluations: asked,
      kasmina_commands: adaptation.commandsApplied,
      halted: trainer.emergencyLevel === 'halt',
      concurrency: 1,
      timeout_every: null,
    },
  };
};
