/** Runs a scenario as often as asked, judges it, and leaves its files. */
import { randomUUID } from 'node:crypto';
import { baselineRules, readBaseline } from './baseline.ts';
import {
  exitCodeOf,
  prefetchRules,
  ROLLBACK_RULES,
  type Rule,
  STEADY_RULES,
  TAMIYO_RULES,
  worst,
} from './checks.ts';
import { readEnvironment } from './environment.ts';
import {
  checkHarnessOptions,
  type HarnessOptions,
  SCENARIO_FIELDS,
  type ScenarioName,
} from './options.ts';
import { type HarnessResult, resultOf } from './result.ts';
import { kasminaPrefetch } from './scenarios/kasmina-prefetch.ts';
import { rollback } from './scenarios/rollback.ts';
import type { Scenario, ScenarioContext } from './scenarios/scenario.ts';
import { steadyTrain } from './scenarios/steady-train.ts';
import { tamiyoTimeout } from './scenarios/tamiyo-timeout.ts';
import { writeResult } from './write-result.ts';

interface Entry {
  readonly run: Scenario;
  readonly rules: (options: HarnessOptions) => readonly Rule[];
}

const ENTRIES: Readonly<Record<ScenarioName, Entry>> = {
  'steady-train': { run: steadyTrain, rules: () => STEADY_RULES },
  rollback: { run: rollback, rules: () => ROLLBACK_RULES },
  'tamiyo-timeout': { run: tamiyoTimeout, rules: () => TAMIYO_RULES },
  'kasmina-prefetch': {
    run: kasminaPrefetch,
    rules: ({ readyLatencyMs }) => prefetchRules(readyLatencyMs),
  },
};

export interface HarnessOutcome {
  /** The worst of the repeats. */
  readonly result: HarnessResult;
  /** Of the JSON file. */
  readonly path: string;
  readonly exitCode: number;
}

/** Of the worst repeats the one with the median latency: neither the luckiest nor the unluckiest. */
const representative = (results: readonly HarnessResult[]): HarnessResult => {
  const status = worst(results.map(({ verdict }) => verdict.status));
  const alike = results.filter(({ verdict }) => verdict.status === status);
  const latency = ({ metrics }: HarnessResult): number =>
    metrics.latency_p95_ms ?? metrics.restore_fast_ms ?? Number.POSITIVE_INFINITY;
  const sorted = alike.toSorted((a, b) => latency(a) - latency(b));
  return sorted[Math.floor((sorted.length - 1) / 2)]!;
};

/**
 * @throws TollamaError INVALID_REQUEST for an option that cannot be or a device that is not there, INVALID_INPUT for a baseline of something else
 */
export const runHarness = async (
  name: ScenarioName,
  options: HarnessOptions,
  context: ScenarioContext = {},
): Promise<HarnessOutcome> => {
  checkHarnessOptions(name, options);
  const environment = await readEnvironment(options.device);
  const { run, rules } = ENTRIES[name];
  const scenario = SCENARIO_FIELDS[name];
  const against =
    options.baseline === undefined
      ? []
      : baselineRules(await readBaseline(options.baseline, scenario), environment);
  const results: HarnessResult[] = [];
  for (let i = 0; i < options.repeat; i++) {
    const measured = await run(options, context);
    const runId = randomUUID();
    const all = [...rules(options), ...against];
    results.push(resultOf({ name, runId, environment, options, measured, rules: all }));
  }
  const chosen = representative(results);
  const repeats = results.map(({ metrics, verdict }) => ({ metrics, status: verdict.status }));
  const result = { ...chosen, details: { ...chosen.details, repeats } };
  const { outputDir, markdownReport: isMarkdown, failOn } = options;
  const path = await writeResult(result, { outputDir, isMarkdown });
  return { result, path, exitCode: exitCodeOf(result.verdict.status, failOn) };
};
