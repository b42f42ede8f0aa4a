/**
 * A policy that never answers, one that answers late and one that throws, on a given share of its calls: each is
 * counted, none is applied, and the run goes on.
 */
import { seededRandom } from '../../clock/seeded-random.ts';
import { METRICS } from '../../contracts/metrics.ts';
import { type HarnessOptions, isInjected } from '../options.ts';
import { histogram } from '../percentile.ts';
import type { Measured } from '../result.ts';
import { sleep } from '../stall.ts';
import { openWorkbench, type Workbench } from '../workbench.ts';
import { FAULTS, type Fault, FaultyPolicy, LATE_BY_MS } from './faulty-policy.ts';
import { type ScenarioContext, valuesOf } from './scenario.ts';

/** The breaker's cooldown here: an epoch takes milliseconds, not the minutes that 30 s are made for. */
const COOLDOWN_MS = 250;
/** Epochs without faults in which the run must find back. */
const RECOVERY_EPOCHS = 8;

/** A seeded draw for each call; at least one is a fault, so that something is shown. */
const drawFaults = ({ seed, timeoutRatio }: HarnessOptions, calls: number): readonly boolean[] => {
  const random = seededRandom(seed);
  const drawn = Array.from({ length: calls }, () => random() < timeoutRatio);
  if (timeoutRatio > 0 && !drawn.includes(true)) drawn[Math.floor(random() * calls)] = true;
  return drawn;
};

/** What happens to each call of the epochs that are judged, and then one of each kind that did not occur. */
export const planFaults = (options: HarnessOptions): readonly (Fault | undefined)[] => {
  const { epochs, timeoutEvery } = options;
  const isFault =
    timeoutEvery === undefined
      ? drawFaults(options, epochs)
      : Array.from({ length: epochs }, (_, i) => (i + 1) % timeoutEvery === 0);
  let next = 0;
  const plan = isFault.map((fault) => (fault ? TIMEOUTS[next++ % TIMEOUTS.length] : undefined));
  const missing = FAULTS.filter((fault) => !plan.includes(fault));
  return [...plan, ...missing.flatMap((fault) => [fault, undefined])];
};

const TIMEOUTS: readonly Fault[] = ['hangs', 'answers late'];

/** Every failure costs a conservative epoch in which nobody is asked. */
const epochsFor = (plan: readonly (Fault | undefined)[]): number =>
  plan.length + plan.filter(Boolean).length;

/** While faults last an open breaker skips epochs; after them its cooldown is waited for. */
const waitForBreaker = async ({ tamiyo, telemetry }: Workbench): Promise<void> => {
  const { openUntilMs } = tamiyo.breaker.snapshot();
  if (openUntilMs === undefined) return;
  telemetry.emit('harness.waits_for_breaker', 'debug');
  await sleep(Math.max(0, openUntilMs - performance.now()) + 1);
};

/** Epochs that ended in conservative mode, by the gauge that the trainer exports with each epoch. */
const conservativeEpochs = ({ recorder }: Workbench): number => {
  let isConservative = false;
  let count = 0;
  for (const { name } of recorder.events) {
    if (name === 'tolaria.conservative_mode_entered') isConservative = true;
    if (name === 'tolaria.conservative_mode_cleared') isConservative = false;
    if (name === 'training.epoch' && isConservative) count++;
  }
  return count;
};

interface Run {
  readonly bench: Workbench;
  readonly policy: FaultyPolicy;
  readonly plan: readonly (Fault | undefined)[];
  readonly epochs: number;
}

const metricsOf = ({ bench, policy, epochs }: Run): Measured['metrics'] => {
  const { trainer, recorder, tamiyo, adaptation } = bench;
  const { asked, timeouts, errors, late, breakerOpens } = tamiyo.counters();
  const { injected } = policy;
  const lateIds = new Set(policy.lateIds);
  const applied = adaptation.decisions.filter(({ command }) => lateIds.has(command.command_id));
  const isRecovered = !trainer.isConservative && tamiyo.breaker.state === 'closed';
  const injectedTimeouts = injected.hangs + injected['answers late'];
  const latency = histogram(tamiyo.latenciesMs);
  return {
    evaluations: asked,
    timeout_tamiyo: timeouts,
    timeout_kasmina: recorder.count('tolaria.kasmina_timeout'),
    latency_mean_ms: latency.mean,
    latency_p95_ms: latency.p95,
    breaker_opens: breakerOpens,
    conservative_epochs: conservativeEpochs(bench),
    recovered: Number(isRecovered),
    faults_injected: injectedTimeouts + injected.throws,
    timeouts_uncounted: Math.abs(injectedTimeouts - timeouts) + Math.abs(injected.throws - errors),
    late,
    late_uncounted: Math.abs(injected['answers late'] - late),
    late_applied: applied.length,
    epochs_missing: Math.max(0, epochs - recorder.count('training.epoch')),
  };
};

const detailsOf = (
  { bench, policy, plan }: Run,
  { timeoutEvery, policyDeadlineMs }: HarnessOptions,
): Measured['details'] => ({
  durations_ms: valuesOf(bench.telemetry, METRICS.epochLatency),
  tamiyo_evaluations: bench.tamiyo.counters().asked,
  kasmina_commands: bench.adaptation.commandsApplied,
  halted: bench.trainer.emergencyLevel === 'halt',
  concurrency: 1,
  timeout_every: timeoutEvery ?? null,
  injected: policy.injected,
  plan: plan.map((fault) => fault ?? 'answers'),
  recovery_epochs: RECOVERY_EPOCHS,
  policy_deadline_ms: policyDeadlineMs,
});

const measuredOf = (run: Run, options: HarnessOptions): Measured => {
  const { tamiyo, recorder, telemetry } = run.bench;
  const timedOut = recorder.named('tolaria.tamiyo_timeout');
  return {
    metrics: metricsOf(run),
    histograms: {
      [METRICS.policyLatency]: histogram(tamiyo.latenciesMs),
      'tolaria.timeout.tamiyo_last_ms': histogram(
        timedOut.map(({ attributes }) => Number(attributes.latency_ms)),
      ),
      [METRICS.epochLatency]: histogram(valuesOf(telemetry, METRICS.epochLatency)),
    },
    packets: recorder.finish(),
    details: detailsOf(run, options),
  };
};

export const tamiyoTimeout = async (
  options: HarnessOptions,
  { stream }: ScenarioContext,
): Promise<Measured> => {
  const { policyDeadlineMs, inject } = options;
  const plan = planFaults(options);
  const faultyEpochs = epochsFor(plan);
  const epochs = faultyEpochs + RECOVERY_EPOCHS;
  const policy = new FaultyPolicy({ plan, deadlineMs: policyDeadlineMs, inject });
  let opened: Workbench | undefined;
  let epoch = 0;
  const stop = new AbortController();
  const onEpoch = async (): Promise<void> => {
    epoch++;
    policy.isRecovering = epoch > faultyEpochs;
    if (isInjected(options, 'lost-epoch') && epoch === epochs - 1) stop.abort();
    if (policy.isRecovering) await waitForBreaker(opened!);
  };
  const changes = { epochs, policy, policyDeadlineMs, cooldownMs: COOLDOWN_MS, onEpoch };
  await using bench = await openWorkbench(options, { ...changes, ...(stream && { stream }) });
  opened = bench;
  await bench.trainer.open();
  await bench.trainer.run(stop.signal);
  // The last late answer is on its way still.
  const isLateDue = policy.injected['answers late'] > bench.tamiyo.counters().late;
  if (isLateDue) await sleep(2 * LATE_BY_MS);
  return measuredOf({ bench, policy, plan, epochs }, options);
};
