import { TollamaError } from '@tollama/core/errors';
import { DEFAULT_MODEL } from '@tollama/core/statistical';
import { Command } from 'commander';
import { connectOrStart } from '../daemon/connect.ts';
import { defaultHorizon } from '../forecast/body.ts';
import { modelsAndFile } from '../forecast/model-and-file.ts';
import type { RollingOptions } from '../forecast/rolling.ts';
import {
  BASELINE,
  SCORED_LEVELS,
  type ScoredModel,
  scoreModels,
  scoreTable,
} from '../forecast/score-models.ts';
import { interruptSignal } from '../terminal/interrupt.ts';
import { printJson } from '../terminal/json.ts';
import { createProgress } from '../terminal/progress.ts';
import { positiveInteger, withExamples } from './options.ts';
import { INPUT_KINDS, readInput, type SeriesOptions, withSeriesOptions } from './series-options.ts';

interface CompareOptions extends SeriesOptions {
  readonly input?: string;
  readonly horizon?: number;
  readonly windows: number;
  readonly step?: number;
  readonly precision?: string;
}

const evaluate = async (
  models: readonly string[],
  input: string,
  options: CompareOptions,
): Promise<{
  rows: ScoredModel[];
  failures: string[];
  rolling: RollingOptions;
  series: number;
}> => {
  const progress = createProgress('auto', options.quiet);
  const signal = interruptSignal();
  try {
    const { series } = await readInput(input, options);
    const horizon = options.horizon ?? defaultHorizon(series[0]!, options.freq);
    const settings = options.precision ? { precision: options.precision } : {};
    const rolling = {
      horizon,
      windows: options.windows,
      step: options.step ?? horizon,
      quantiles: SCORED_LEVELS,
      freq: options.freq,
      options: settings,
    };
    const client = await connectOrStart({ baseUrl: options.baseUrl }, progress);
    const ask = {
      client,
      progress,
      signal,
      acceptLicense: options.acceptLicense ?? false,
      printsPull: false,
    };
    const { rows, failures } = await scoreModels(models, series, rolling, ask);
    return { rows, failures, rolling, series: series.length };
  } finally {
    progress.stop();
  }
};

const compare = async (words: readonly string[], options: CompareOptions): Promise<void> => {
  const { models, input } = modelsAndFile(words, options.input);
  const all = [...new Set([...(models.length > 0 ? models : [DEFAULT_MODEL]), BASELINE])];
  const { rows, failures, rolling, series } = await evaluate(all, input, options);
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
    console.log(scoreTable(rows));
  }
  if (failures.length > 0) process.exitCode = 1;
};

export const compareCommand = (): Command =>
  withExamples(
    withSeriesOptions(
      new Command('compare')
        .alias('backtest')
        .description(
          'score models on the ends of your own series, rolling the origin; seasonal naive is always in the table',
        )
        .argument('[models...]', `models to compare (default: ${DEFAULT_MODEL}), then the file`)
        .option('-i, --input <file>', INPUT_KINDS)
        .option('--horizon <steps>', 'steps of a forecast (default: two seasons)', positiveInteger)
        .option('--windows <n>', 'forecasts of each series', positiveInteger, 3)
        .option(
          '--step <steps>',
          'steps between two origins (default: the horizon)',
          positiveInteger,
        )
        .option('--precision <precision>', 'float32 or int8'),
    ).action(compare),
    [
      'tollama compare sales.csv --horizon 24',
      'tollama compare auto theta sales.csv --horizon 24',
      'tollama compare auto chronos-bolt-small theta --input sales.csv --windows 5 --json',
    ],
  );
