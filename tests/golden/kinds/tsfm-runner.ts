/** The gateway: its numbers, its requests to the upstream, and what it does over time when that fails. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Comparison } from '../compare.ts';
import type { GoldenKind } from '../kinds.ts';
import { agree } from './tsfm-runner/agree.ts';
import { CALCULATIONS } from './tsfm-runner/calculations.ts';
import { forecastCase } from './tsfm-runner/forecast.ts';
import { timelineCase } from './tsfm-runner/timeline.ts';
import { retryCase, upstreamPayloadCase } from './tsfm-runner/upstream.ts';

export interface RunnerCase {
  readonly name: string;
  readonly kind: string;
  // biome-ignore lint/suspicious/noExplicitAny: each kind of case has an input of its own
  readonly input: any;
  // biome-ignore lint/suspicious/noExplicitAny: and an expectation of its own
  readonly expected: any;
  readonly rtol: number;
  readonly atol: number;
}

type Compute = (one: RunnerCase, all: readonly RunnerCase[]) => unknown | Promise<unknown>;

/** How each kind of case is computed; what comes out has the form of `expected`. */
const COMPUTE: Readonly<Record<string, Compute>> = {
  ...CALCULATIONS,
  forecast: forecastCase,
  timeline: timelineCase,
  retry: retryCase,
  upstream_payload: upstreamPayloadCase,
};

const run = async (one: RunnerCase, all: readonly RunnerCase[]): Promise<Comparison[]> => {
  const compute = Object.hasOwn(COMPUTE, one.kind) ? COMPUTE[one.kind] : undefined;
  if (!compute) throw new Error(`unknown kind '${one.kind}' of case ${one.name}`);
  return [agree(one.kind, await compute(one, all), one.expected, one)];
};

export const tsfmRunner: GoldenKind = async (folder) => {
  const text = await readFile(join(folder, 'cases.json'), 'utf8');
  const { cases } = JSON.parse(text) as { cases: readonly RunnerCase[] };
  return {
    cases: cases.map((one) => ({ name: one.name, run: () => run(one, cases) })),
    [Symbol.asyncDispose]: async () => {},
  };
};
