/** The document that a scenario leaves: `<slug>_metrics.json`. */
import type { Attributes, EventLevel } from '../contracts/metrics.ts';
import { judge, type Metrics, type Rule, type Verdict } from './checks.ts';
import type { Environment } from './environment.ts';
import type { HarnessOptions, ScenarioName } from './options.ts';
import { SCENARIO_FIELDS, SLUGS } from './options.ts';
import type { Histogram } from './percentile.ts';

export const RESULT_SCHEMA = 1;

export interface Packet {
  readonly seq: number;
  readonly at_ms: number;
  readonly epoch: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly events: readonly {
    readonly name: string;
    readonly level: EventLevel;
    readonly attributes: Attributes;
  }[];
  readonly priority: 'normal' | 'critical';
}

/** The keys that every result has; a scenario adds others of its own. */
export interface Details {
  readonly durations_ms: readonly number[];
  readonly tamiyo_evaluations: number;
  readonly kasmina_commands: number;
  readonly halted: boolean;
  readonly concurrency: number;
  readonly timeout_every: number | null;
  readonly [further: string]: unknown;
}

/** What a scenario measured, before anything is concluded from it. */
export interface Measured {
  readonly metrics: Metrics;
  readonly histograms: Readonly<Record<string, Histogram>>;
  readonly packets: readonly Packet[];
  readonly details: Details;
}

export interface HarnessResult {
  readonly schema: typeof RESULT_SCHEMA;
  readonly run_id: string;
  readonly scenario: string;
  readonly slug: string;
  readonly environment: Environment;
  readonly options: Readonly<Record<string, unknown>>;
  readonly metrics: Metrics;
  readonly histograms: Readonly<Record<string, Histogram>>;
  readonly verdict: Verdict;
  readonly telemetry: readonly Packet[];
  readonly details: Details;
}

const snakeCase = (name: string): string =>
  name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Options as they were resolved, by the names of the command line's results. */
const optionsRecord = (options: HarnessOptions): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(options).map(([name, value]) => [snakeCase(name), value ?? null]),
  );

/** What is not finite was not measured. */
const finiteOrNull = (metrics: Metrics): Metrics =>
  Object.fromEntries(
    Object.entries(metrics).map(([name, value]) => [
      name,
      value !== null && Number.isFinite(value) ? value : null,
    ]),
  );

export interface ResultParts {
  readonly name: ScenarioName;
  readonly runId: string;
  readonly environment: Environment;
  readonly options: HarnessOptions;
  readonly measured: Measured;
  readonly rules: readonly Rule[];
}

export const resultOf = (parts: ResultParts): HarnessResult => {
  const { name, runId, environment, options, measured, rules } = parts;
  const metrics = finiteOrNull(measured.metrics);
  return {
    schema: RESULT_SCHEMA,
    run_id: runId,
    scenario: SCENARIO_FIELDS[name],
    slug: SLUGS[name],
    environment,
    options: optionsRecord(options),
    metrics,
    histograms: measured.histograms,
    verdict: judge(rules, metrics),
    telemetry: options.emitTelemetry ? measured.packets : [],
    details: measured.details,
  };
};
