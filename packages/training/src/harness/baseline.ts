/** Compares a result with one that was kept, on the same kind of machine. */
import { readFile } from 'node:fs/promises';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { z } from 'zod';
import type { Metrics, Rule, Severity } from './checks.ts';
import { type Environment, fingerprintOf } from './environment.ts';

const Baseline = z.looseObject({
  schema: z.literal(1),
  scenario: z.string(),
  environment: z.looseObject({}),
  metrics: z.record(z.string(), z.number().nullable()),
});

export interface BaselineResult {
  readonly scenario: string;
  readonly environment: Environment;
  readonly metrics: Metrics;
}

/** @throws TollamaError INVALID_INPUT when the file is no result of this scenario */
export const readBaseline = async (path: string, scenario: string): Promise<BaselineResult> => {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new TollamaError('INVALID_INPUT', `baseline ${path}: ${errorMessage(cause)}`, { cause });
  }
  const parsed = Baseline.safeParse(value);
  if (!parsed.success || parsed.data.scenario !== scenario) {
    const found = parsed.success ? `of ${parsed.data.scenario}` : 'no result of the harness';
    throw new TollamaError('INVALID_INPUT', `baseline ${path} is ${found}`, {
      hint: `give a result of ${scenario}`,
    });
  }
  return parsed.data as unknown as BaselineResult;
};

/** Metrics that are a p95 by another name, those of the reference. */
const NAMED_P95 = new Set(['restore_fast_ms', 'restore_full_ms']);

const isP95 = (metric: string): boolean => metric.endsWith('_p95_ms') || NAMED_P95.has(metric);

/** What a p95 must exceed to count: a share of the baseline, and milliseconds, both. */
const WARN = { share: 0.2, ms: 2 };
const CRITICAL = { share: 0.5, ms: 5 };

/**
 * Rules that hold the percentiles to the baseline: beyond both margins is worse. On another machine they inform only.
 */
export const baselineRules = (
  baseline: BaselineResult,
  environment: Environment,
): readonly Rule[] => {
  const isSame = fingerprintOf(baseline.environment) === fingerprintOf(environment);
  return Object.entries(baseline.metrics)
    .filter(([metric, value]) => isP95(metric) && value !== null)
    .flatMap(([metric, value]) =>
      (
        [
          ['warn', WARN],
          ['critical', CRITICAL],
        ] as const
      ).map(([severity, { share, ms }]) => ({
        id: 'baseline',
        metric,
        op: '<=' as const,
        limit: Math.max(value! * (1 + share), value! + ms),
        severity: isSame ? (severity as Severity) : 'info',
      })),
    );
};
