import { writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { TollamaError } from '@tollama/core/errors';
import { DEFAULT_MODEL } from '@tollama/core/statistical';
import type { JudgedPoint, Predict, SeriesAnomalies } from '@tollama/session/anomaly/detect';
import type { TaskSeries } from '@tollama/session/backend/backend';
import { Command, InvalidArgumentError } from 'commander';
import { createBackend } from '../evaluation/backend.ts';
import { defaultHorizon } from '../forecast/body.ts';
import { modelsAndFile } from '../forecast/model-and-file.ts';
import { toTaskSeries } from '../forecast/task-series.ts';
import { humanNumber } from '../terminal/human.ts';
import { interruptSignal } from '../terminal/interrupt.ts';
import { printJson } from '../terminal/json.ts';
import { createProgress } from '../terminal/progress.ts';
import { table } from '../terminal/table.ts';
import { positiveInteger, withExamples } from './options.ts';
import { INPUT_KINDS, readInput, type SeriesOptions, withSeriesOptions } from './series-options.ts';

interface DetectOptions extends SeriesOptions {
  readonly input?: string;
  readonly level: number;
  readonly step?: number;
  readonly minHistory?: number;
  readonly last?: number;
  readonly online?: boolean;
  readonly output?: string;
}

const percent = (text: string): number => {
  const level = Number(text);
  if (level > 0 && level < 100) return level;
  throw new InvalidArgumentError('use percent between 0 and 100, such as 99.');
};

const pointFacts = (id: string, point: JudgedPoint) => ({
  id,
  timestamp: point.timestamp ?? String(point.at + 1),
  value: point.value,
  expected: point.expected,
  lower: point.lower,
  upper: point.upper,
  score: point.score,
  probability: point.probability,
  is_anomaly: point.isAnomaly,
});

type PointFacts = ReturnType<typeof pointFacts>;

const factsOf = (found: readonly SeriesAnomalies[]): PointFacts[] =>
  found.flatMap(({ id, points }) => points.map((point) => pointFacts(id, point)));

const csvCell = (value: unknown): string => {
  const text = String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

const csvOf = (facts: readonly PointFacts[]): string => {
  const names = Object.keys(facts[0] ?? { id: '' }) as (keyof PointFacts)[];
  const rows = facts.map((one) => names.map((name) => csvCell(one[name])).join(','));
  return `${[names.join(','), ...rows].join('\n')}\n`;
};

const print = (facts: readonly PointFacts[]): void => {
  const odd = facts.filter(({ is_anomaly }) => is_anomaly);
  if (odd.length > 0) {
    const rows = odd
      .toSorted((a, b) => Math.abs(b.score) - Math.abs(a.score))
      .map(({ id, timestamp, value, lower, upper, score, probability }) => [
        id,
        timestamp,
        humanNumber(value),
        `${humanNumber(lower)} to ${humanNumber(upper)}`,
        humanNumber(score, 3),
        humanNumber(probability, 2),
      ]);
    console.log(table(['SERIES', 'TIME', 'VALUE', 'EXPECTED', 'SCORE', 'PROBABILITY'], rows));
  }
  console.log(`${odd.length} of ${facts.length} points are anomalies`);
};

/** A value a line, or JSON with `value` and, of several series, `id`. */
const parseLine = (line: string, only: string | undefined): { id: string; value: number } => {
  let read: unknown;
  try {
    read = JSON.parse(line);
  } catch {
    read = line;
  }
  const { id = only, value = read } = (typeof read === 'object' && read ? read : {}) as {
    readonly id?: string;
    readonly value?: unknown;
  };
  if (id === undefined || typeof value !== 'number') {
    throw new TollamaError('INVALID_INPUT', `stdin: ${JSON.stringify(line)} is no point`, {
      hint: 'give a number a line, or {"id": "...", "value": 1.5}',
    });
  }
  return { id, value };
};

/** Judges what comes on stdin, a verdict a line, after the history of --input. */
const watch = async (
  series: readonly TaskSeries[],
  predict: Predict,
  { level, step }: { readonly level: number; readonly step: number },
): Promise<void> => {
  const { createOnlineDetector } = await import('@tollama/session/anomaly/detect');
  const detectors = new Map(
    series.map((one) => [one.id, createOnlineDetector(one, predict, { level, step })]),
  );
  const only = series.length === 1 ? series[0]!.id : undefined;
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() === '') continue;
    const { id, value } = parseLine(line, only);
    const detector = detectors.get(id);
    if (!detector) {
      throw new TollamaError('INVALID_INPUT', `stdin: there is no series '${id}'`, {
        hint: `series are ${[...detectors.keys()].slice(0, 10).join(', ')}`,
      });
    }
    const { isAnomaly, ...scored } = await detector.observe(value);
    const verdict = { id, value, ...scored, is_anomaly: isAnomaly };
    process.stdout.write(`${JSON.stringify(verdict)}\n`);
  }
};

const judge = async (
  series: readonly TaskSeries[],
  predict: Predict,
  options: DetectOptions & { readonly step: number; readonly signal: AbortSignal },
): Promise<void> => {
  const { detectAnomalies } = await import('@tollama/session/anomaly/detect');
  const { level, step, last, output, json, quiet, signal } = options;
  const shortest = Math.min(...series.map(({ target }) => target.length));
  const minHistory =
    options.minHistory ?? Math.max(2, Math.min(4 * step, Math.floor(shortest / 2)));
  const facts = factsOf(
    await detectAnomalies(series, predict, { level, step, last, minHistory, signal }),
  );
  if (output) {
    const isJson = output.toLowerCase().endsWith('.json');
    await writeFile(output, isJson ? `${JSON.stringify(facts, undefined, 1)}\n` : csvOf(facts));
    if (!quiet) process.stderr.write(`wrote ${facts.length} points to ${output}\n`);
  } else if (json) printJson({ level, step, points: facts });
  else print(facts);
};

const detect = async (
  first: string | undefined,
  second: string | undefined,
  options: DetectOptions,
): Promise<void> => {
  const words = [first, second].filter((word) => word !== undefined);
  const { models, input: file } = modelsAndFile(words, options.input);
  const [model = DEFAULT_MODEL] = models;
  if (options.online && file === '-') {
    throw new TollamaError('INVALID_REQUEST', '--online reads points from stdin', {
      hint: 'give the history as a file with --input',
    });
  }
  const progress = createProgress('auto', options.quiet);
  const signal = interruptSignal();
  try {
    const input = await readInput(file, options);
    const step =
      options.step ?? Math.max(1, Math.floor(defaultHorizon(input.series[0]!, options.freq) / 2));
    const series = toTaskSeries(input.series, options.freq);
    const { baseUrl, acceptLicense = false } = options;
    const backend = await createBackend({ baseUrl, acceptLicense, progress, signal });
    const loaded = await backend.load({ model, device: null, options: {} });
    const predict: Predict = (task) => loaded.forecast(task);
    progress.status(`judging ${series.length} series with ${model}`);
    if (options.online) await watch(series, predict, { level: options.level, step });
    else await judge(series, predict, { ...options, step, signal });
  } finally {
    progress.stop();
  }
};

export const detectCommand = (): Command =>
  withExamples(
    withSeriesOptions(
      new Command('detect')
        .description('find values that lie outside of what a model expected before it saw them')
        .argument('[model]', `a model that gives quantiles (default: ${DEFAULT_MODEL})`)
        .argument('[file]', 'the series, as --input')
        .option('-i, --input <file>', INPUT_KINDS)
        .option(
          '--level <percent>',
          'central interval outside of which a value is odd',
          percent,
          99,
        )
        .option('--step <steps>', 'steps forecast at once (default: one season)', positiveInteger)
        .option('--min-history <points>', 'points before the first that is judged', positiveInteger)
        .option('--last <points>', 'judge only the last points of each series', positiveInteger)
        .option('--online', 'judge points from stdin as they come, a line each')
        .option('-o, --output <file>', 'write all judged points as .csv or .json'),
    ).action(detect),
    [
      'tollama detect sensors.csv --level 99.9',
      'tail -f values.txt | tollama detect --input history.csv --online',
    ],
  );
