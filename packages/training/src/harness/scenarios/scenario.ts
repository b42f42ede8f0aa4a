/** What the scenarios share. */
import type { TrainingEvent } from '../../telemetry/event.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { HarnessOptions } from '../options.ts';
import { type Histogram, histogram } from '../percentile.ts';
import type { Measured } from '../result.ts';

export interface ScenarioContext {
  /** Hears every event of the run. */
  readonly stream?: ((event: TrainingEvent) => void) | undefined;
}

export type Scenario = (options: HarnessOptions, context: ScenarioContext) => Promise<Measured>;

/** What was observed under a name, in the order of time. */
export const valuesOf = ({ metrics }: Telemetry, name: string): readonly number[] =>
  metrics.histograms().find((one) => one.name === name)?.values ?? [];

export const histogramsOf = (
  telemetry: Telemetry,
  names: readonly string[],
): Record<string, Histogram> =>
  Object.fromEntries(names.map((name) => [name, histogram(valuesOf(telemetry, name))]));

const KIB = 1024;

/** The largest resident set of this process so far. */
export const rssPeakBytes = (): number => process.resourceUsage().maxRSS * KIB;
