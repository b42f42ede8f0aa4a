/** What Kasmina is told. */
import type { Feeds, Graph } from '@tollama/graph';
import type { Breaker } from '../breaker/breaker.ts';
import type { Clock } from '../clock/clock.ts';
import type { Report } from '../contracts/metrics.ts';
import type { GateLimits } from '../lifecycle/gates.ts';
import type { PreparedAdapter } from '../prefetch/adapter-loader.ts';
import type { Prefetcher } from '../prefetch/prefetcher.ts';
import type { TrainingStep } from '../step/training-step.ts';
import type { MetricRegistry } from '../telemetry/metric-registry.ts';
import type { Slot } from './seed-plan.ts';
import type { SeededStep } from './seeded-step.ts';

export interface SeedManagerOptions {
  readonly runId: string;
  readonly slots: readonly Slot[];
  readonly step: SeededStep;
  /** The host's loss, whose linear layers are the slots. */
  readonly graph: Graph;
  readonly prefetcher: Prefetcher<PreparedAdapter>;
  readonly keyOf: (slot: string, blueprint: string) => string;
  /** What gradients are measured on; the same batch all the time, so that measurements compare. */
  readonly probeBatch: Feeds;
  readonly validate: (
    step: TrainingStep,
    alpha: Readonly<Record<string, number>>,
  ) => Promise<number>;
  readonly parameterBudget: number;
  readonly stepBudgetMs: number;
  readonly limits: GateLimits;
  /** Epochs between numeric probes of isolation. */
  readonly probeEvery: number;
  readonly breaker: Breaker;
  readonly clock: Clock;
  readonly report: Report;
  /** Where what is counted goes. */
  readonly metrics?: Pick<MetricRegistry, 'count' | 'set'>;
  /** Plants seeds without their stop-gradients: a fault, to see that it is noticed. */
  readonly isLeaky?: boolean;
}

/** What the trainer knows at the end of an epoch. */
export interface EpochFacts {
  readonly epoch: number;
  /** NaN when it is not known. */
  readonly validationLoss: number;
  readonly stepLatencyMs: number;
}
