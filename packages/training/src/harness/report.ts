/** A result for readers: summary.md, and what the terminal shows. */
import { type Check, type Verdict, worst } from './checks.ts';
import type { Environment } from './environment.ts';
import type { HarnessResult } from './result.ts';
import { limitText, statusOf, unitOf } from './summary-csv.ts';

export const numberText = (value: number | null): string => {
  if (value === null) return 'not measured';
  return Number.isInteger(value) ? String(value) : value.toPrecision(4);
};

const GIB = 2 ** 30;

export const environmentLine = (environment: Environment): string => {
  const { cpu, cores, memory_bytes, platform, node, onnxruntime, device, commit } = environment;
  const memory = `${(memory_bytes / GIB).toFixed(1)} GiB`;
  const parts = [cpu, `${cores} cores`, memory, platform, `node ${node}`];
  return [
    ...parts,
    `onnxruntime ${onnxruntime ?? 'unknown'}`,
    device,
    commit?.slice(0, 12) ?? 'no commit',
  ].join(', ');
};

const checksOf = (verdict: Verdict, metric: string): readonly Check[] =>
  verdict.checks.filter((check) => check.metric === metric);

const limitsText = (checks: readonly Check[]): string =>
  checks.map((check) => `${limitText(check)} (${check.severity})`).join(', ');

const table = (result: HarnessResult): string => {
  const rows = Object.entries(result.metrics).map(([metric, value]) => {
    const checks = checksOf(result.verdict, metric);
    const unit = value === null ? '' : ` ${unitOf(metric)}`;
    const shown = `${numberText(value)}${unit}`.trimEnd();
    return `| ${metric} | ${shown} | ${limitsText(checks)} | ${statusOf(checks)} |`;
  });
  return [
    `## ${result.scenario}: ${result.verdict.status}`,
    '',
    '| metric | value | limit | status |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
};

/** One table for each scenario, the verdict over all of them first. */
export const markdownReport = (results: readonly HarnessResult[]): string => {
  const status = worst(results.map(({ verdict }) => verdict.status));
  return `${[
    `**Verdict: ${status}**`,
    environmentLine(results.at(-1)!.environment),
    ...results.map(table),
  ].join('\n\n')}\n`;
};

/** Checks that did not pass, then how it stands. */
export const textReport = (result: HarnessResult): string => {
  const { verdict, scenario, metrics } = result;
  const values = Object.entries(metrics).map(([metric, value]) =>
    `  ${metric.padEnd(28)} ${numberText(value)} ${unitOf(metric)}`.trimEnd(),
  );
  const broken = verdict.checks
    .filter(({ status }) => status !== 'pass')
    .map(
      (one) =>
        `  ${one.status}: ${one.id} ${one.metric} = ${numberText(one.value)}, wants ${limitText(one)}`,
    );
  return [`${scenario}: ${verdict.status}`, ...values, ...broken].join('\n');
};
