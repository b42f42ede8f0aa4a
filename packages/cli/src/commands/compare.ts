import { TollamaError } from '@tollama/core/errors';
import { DEFAULT_MODEL } from '@tollama/core/statistical';
import { readSeries } from '@tollama/ingest/read-series';
import { Command } from 'commander';
import { connectOrStart } from '../daemon/connect.ts';
import { defaultHorizon } from '../forecast/body.ts';
import { type Scores, score } from '../forecast/metrics.ts';
import { forecastWindows, type RollingOptions, rollingWindows } from '../forecast/rolling.ts';
import { humanNumber } from '../terminal/human.ts';
import { interruptSignal } from '../terminal/interrupt.ts';
import { printJson } from '../terminal/json.ts';
import { createProgress } from '../terminal/progress.ts';
import { table } from '../terminal/table.ts';
import { positiveInteger, withExamples } from './options.ts';

interface CompareOptions {
  readonly input: string;
  readonly horizon?: number;
  readonly windows: number;
  readonly step?: number;
  readonly freq?: string;
  readonly idCol?: string;
  readonly timeCol?: string;
  readonly targetCol?: string[];
  readonly precision?: string;
  readonly acceptLicense?: boolean;
  readonly baseUrl?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Always in the table: what every model has to beat. */
const BASELINE = 'seasonal-naive';
const LEVELS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

interface Row {
  readonly model: string;
  readonly scores: Scores;
  readonly elapsedMs: number;
}

const list = (text: string): string[] => text.split(',').map((part) => part.trim());

const evaluate = async (
  models: readonly string[],
  options: CompareOptions,
): Promise<{ rows: Row[]; failures: string[]; rolling: RollingOptions; series: number }> => {
  const progress = createProgress('auto', options.quiet);
  const signal = interruptSignal();
  try {
    const { series } = await readSeries({
      path: options.input,
      stdin: process.stdin,
      idColumn: options.idCol,
      timeColumn: options.timeCol,
      targetColumns: options.targetCol,
    });
    const horizon = options.horizon ?? defaultHorizon(series[0]!, options.freq);
    const settings = options.precision ? { precision: options.precision } : {};
    const rolling = {
      horizon,
      windows: options.windows,
      step: options.step ?? horizon,
      quantiles: LEVELS,
      freq: options.freq,
      options: settings,
    };
    const windows = rollingWindows(series, rolling);
    const client = await connectOrStart({ baseUrl: options.baseUrl }, progress);
    const ask = {
      client,
      progress,
      signal,
      acceptLicense: options.acceptLicense ?? false,
      printsPull: false,
    };
    const rows: Row[] = [];
    const failures: string[] = [];
    for (const model of models) {
      try {
        const { scored, elapsedMs } = await forecastWindows(model, windows, rolling, ask);
        rows.push({ model, scores: score(scored), elapsedMs });
      } catch (error) {
        signal.throwIfAborted();
        failures.push(`${model}: ${(error as Error).message}`);
      }
    }
    return { rows, failures, rolling, series: series.length };
  } finally {
    progress.stop();
  }
};

const cell = (value: number | undefined): string =>
  value === undefined ? '-' : humanNumber(value);

/** Rows by quantile loss, the best first, beside what the baseline got. */
const print = (rows: readonly Row[]): void => {
  const base = rows.find(({ model }) => model === BASELINE)!.scores;
  const sorted = rows.toSorted(
    (a, b) => (a.scores.wql ?? a.scores.mase) - (b.scores.wql ?? b.scores.mase),
  );
  const relative = (own: number | undefined, of: number | undefined): string =>
    own !== undefined && of ? humanNumber(own / of, 3) : '-';
  console.log(
    table(
      ['MODEL', 'MASE', 'WQL', 'MASE/NAIVE', 'WQL/NAIVE', 'MAE', 'RMSE', '80% COVERAGE', 'SECONDS'],
      sorted.map(({ model, scores, elapsedMs }) => [
        model,
        cell(scores.mase),
        cell(scores.wql),
        relative(scores.mase, base.mase),
        relative(scores.wql, base.wql),
        cell(scores.mae),
        cell(scores.rmse),
        scores.coverage === undefined ? '-' : `${Math.round(scores.coverage * 100)}%`,
        (elapsedMs / 1000).toFixed(2),
      ]),
    ),
  );
};

const compare = async (models: readonly string[], options: CompareOptions): Promise<void> => {
  const all = [...new Set([...(models.length > 0 ? models : [DEFAULT_MODEL]), BASELINE])];
  const { rows, failures, rolling, series } = await evaluate(all, options);
  for (const failure of failures) process.stderr.write(`Error: ${failure}\n`);
  if (rows.length === 0 || !rows.some(({ model }) => model === BASELINE)) {
    throw new TollamaError('RUNNER_ERROR', 'no model could be evaluated');
  }
  if (options.json) {
    const { horizon, windows, step } = rolling;
    printJson({
      series,
      horizon,
      windows,
      step,
      models: rows.map(({ model, scores, elapsedMs }) => ({
        model,
        ...scores,
        elapsed_ms: elapsedMs,
      })),
      failures,
    });
  } else {
    if (!options.quiet)
      process.stderr.write(
        `${series} series, ${rolling.windows} windows of ${rolling.horizon} steps\n`,
      );
    print(rows);
  }
  if (failures.length > 0) process.exitCode = 1;
};

export const compareCommand = (): Command =>
  withExamples(
    new Command('compare')
      .alias('backtest')
      .description(
        'score models on the ends of your own series, rolling the origin; seasonal naive is always in the table',
      )
      .argument('[models...]', `models to compare (default: ${DEFAULT_MODEL})`)
      .requiredOption(
        '-i, --input <file>',
        'CSV, JSON, NDJSON, Parquet, Arrow or DuckDB (file::table); - for stdin',
      )
      .option('--horizon <steps>', 'steps of a forecast (default: two seasons)', positiveInteger)
      .option('--windows <n>', 'forecasts of each series', positiveInteger, 3)
      .option('--step <steps>', 'steps between two origins (default: the horizon)', positiveInteger)
      .option('--freq <alias>', 'frequency (default: from the timestamps)')
      .option('--id-col <name>', 'column of the series ids')
      .option('--time-col <name>', 'column of the timestamps')
      .option('--target-col <names>', 'columns of the values', list)
      .option('--precision <precision>', 'float32 or int8')
      .option('--accept-license', 'accept the licence of a model that is pulled')
      .option('--base-url <url>', 'address of the daemon; without it one is started when none runs')
      .option('--json', 'print JSON')
      .option('-q, --quiet', 'no progress and no notes')
      .action(compare),
    [
      'tollama compare --input sales.csv --horizon 24',
      'tollama compare auto chronos-bolt-small theta --input sales.csv --windows 5 --json',
    ],
  );
