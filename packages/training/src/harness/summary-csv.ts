/** The rows of summary.csv: one a metric, under one header for ever, whatever scenario wrote them. */
import { open, readFile } from 'node:fs/promises';
import { TollamaError } from '@tollama/core/errors';
import type { Check } from './checks.ts';
import type { HarnessResult } from './result.ts';

export const CSV_HEADER = 'run_id,scenario,metric,value,unit,limit_warn,limit_critical,status';

/** A field that holds a comma, a quote or a line end is quoted (RFC 4180). */
const field = (value: string | number | null): string => {
  const text = value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

export const unitOf = (metric: string): string => {
  if (metric.endsWith('_ms')) return 'ms';
  if (metric.endsWith('_bytes')) return 'bytes';
  return metric.endsWith('_per_s') ? '1/s' : '';
};

export const limitText = ({ op, limit }: Check): string =>
  typeof limit === 'number' ? `${op} ${limit}` : `in ${limit[0]}..${limit[1]}`;

/** The worst of several checks of one metric. */
export const statusOf = (checks: readonly Check[]): string => {
  const order = ['fail', 'unknown', 'warn', 'info', 'pass'] as const;
  return order.find((status) => checks.some((check) => check.status === status)) ?? '';
};

const rowOf = (result: HarnessResult, metric: string, value: number | null): string => {
  const checks = result.verdict.checks.filter((check) => check.metric === metric);
  const limits = (severity: Check['severity']): string =>
    checks
      .filter((check) => check.severity === severity)
      .map(limitText)
      .join('; ');
  const { run_id, scenario } = result;
  return [
    run_id,
    scenario,
    metric,
    value,
    unitOf(metric),
    limits('warn'),
    limits('critical'),
    statusOf(checks),
  ]
    .map(field)
    .join(',');
};

export const csvRows = (result: HarnessResult): readonly string[] =>
  Object.entries(result.metrics).map(([metric, value]) => rowOf(result, metric, value));

/**
 * Appends a result.
 * @throws TollamaError INVALID_INPUT when the file has another header: its rows would lie under wrong names
 */
export const appendCsv = async (path: string, result: HarnessResult): Promise<void> => {
  const known = await readFile(path, 'utf8').catch(() => '');
  const [header] = known.split(/\r?\n/);
  if (known !== '' && header !== CSV_HEADER) {
    throw new TollamaError('INVALID_INPUT', `${path} has another header than a summary`, {
      hint: 'choose another --output-dir, or move the file away',
    });
  }
  await using file = await open(path, 'a');
  const start = known === '' ? `${CSV_HEADER}\n` : known.endsWith('\n') ? '' : '\n';
  await file.writeFile(`${start}${csvRows(result).join('\n')}\n`);
};
