import { DEFAULT_MODEL } from '@tollama/core/statistical';
import { Command, InvalidArgumentError, Option } from 'commander';
import { createBackend } from '../evaluation/backend.ts';
import { humanNumber } from '../terminal/human.ts';
import { interruptSignal } from '../terminal/interrupt.ts';
import { printJson } from '../terminal/json.ts';
import { createProgress } from '../terminal/progress.ts';
import { table } from '../terminal/table.ts';
import { modelOption, positiveInteger, withExamples } from './options.ts';

interface EvaluateOptions {
  readonly suite: string;
  readonly data: string;
  readonly configs?: string[];
  readonly models: string[];
  readonly output: string;
  readonly onMissing: 'raise' | 'seasonal-naive';
  readonly batchSize?: number;
  readonly option?: Readonly<Record<string, unknown>>;
  readonly fresh?: boolean;
  readonly acceptLicense?: boolean;
  readonly baseUrl?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const list = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** Lists of repeated options, each of which may hold several. */
const listed = (text: string, known: string[] = []): string[] => {
  const names = list(text);
  if (names.length === 0) throw new InvalidArgumentError('give at least one name.');
  return [...known, ...names];
};

const PREDICTION_BATCH = 512;

const evaluate = async (options: EvaluateOptions): Promise<void> => {
  const { models, quiet, json } = options;
  const progress = createProgress('auto', quiet);
  const signal = interruptSignal();
  // Loaded here, so that other commands start without them.
  const [{ ModelPool }, { runSuite }, { lastLine, summarize }, { writeReport }] = await Promise.all(
    [
      import('@tollama/session/pool/model-pool'),
      import('@tollama/evaluation/gift-eval/suite'),
      import('@tollama/evaluation/gift-eval/summary'),
      import('@tollama/evaluation/report/write-report'),
    ],
  );
  const { baseUrl, acceptLicense = false } = options;
  const settings = { prediction_batch_size: PREDICTION_BATCH, ...options.option };
  await using pool = new ModelPool({
    adapters: models,
    adapterKwargsByAdapter: Object.fromEntries(models.map((model) => [model, settings])),
    allowLazyLoadOnMiss: true,
    backend: await createBackend({ baseUrl, acceptLicense, progress, signal }),
  });
  try {
    const suite = await runSuite({
      dataFolder: options.data,
      outputFolder: options.output,
      models,
      pool,
      configurations: options.configs,
      onMissing: options.onMissing,
      ...(options.batchSize !== undefined && { batchSize: options.batchSize }),
      isFresh: options.fresh ?? false,
      signal,
      onProgress: ({ model, configuration, done, total, instances }) => {
        const within = instances ? ` ${Math.floor((100 * instances.done) / instances.total)}%` : '';
        const isTerminal = process.stderr.isTTY;
        progress.status(
          `[${done + 1}/${total}] ${model}: ${configuration}${isTerminal ? within : ''}`,
        );
      },
    });
    progress.stop();
    const reportPath = await writeReport(suite, options);
    const summaries = summarize(suite);
    if (!quiet) {
      if (suite.reused > 0)
        process.stderr.write(
          `${suite.reused} results of an earlier run kept; --fresh computes them again\n`,
        );
      process.stderr.write(`wrote ${suite.csvPath} and ${reportPath}\n`);
    }
    for (const { model, replaced } of summaries) {
      if (replaced > 0)
        process.stderr.write(
          `warning: ${replaced} forecasts of ${model} are seasonal naive's: the model gave none\n`,
        );
    }
    if (json) printJson({ models: summaries, results: suite.csvPath, report: reportPath });
    else {
      const { scoresOf } = await import('@tollama/evaluation/gift-eval/summary');
      const base = scoresOf(suite.baseline);
      const rows = suite.models.flatMap((one) =>
        Object.entries(scoresOf(one)).map(([name, { mase, crps }]) => [
          one.model,
          name,
          humanNumber(mase),
          humanNumber(crps),
          humanNumber(mase / base[name]!.mase, 3),
          humanNumber(crps / base[name]!.crps, 3),
        ]),
      );
      const header = ['MODEL', 'CONFIGURATION', 'MASE', 'CRPS', 'MASE/NAIVE', 'CRPS/NAIVE'];
      console.log(table(header, rows));
      console.log(lastLine(summaries));
    }
  } finally {
    progress.stop();
  }
};

export const evaluateCommand = (): Command =>
  withExamples(
    new Command('evaluate')
      .description('score models by the protocol of a benchmark; a run that was cut off goes on')
      .addOption(
        new Option('--suite <suite>', 'the benchmark').choices(['gift-eval']).default('gift-eval'),
      )
      .requiredOption(
        '--data <folder>',
        "folder with configs.json and its series, or of GIFT-Eval's own Arrow data sets",
      )
      .option('--configs <names>', 'configurations, with * for anything (default: all)', listed)
      .option('--models <names>', `models (default: ${DEFAULT_MODEL})`, listed)
      .option('-o, --output <folder>', 'where results go', 'gift-eval-results')
      .addOption(
        new Option('--on-missing <what>', 'where a model gives a series no forecast')
          .choices(['raise', 'seasonal-naive'])
          .default('seasonal-naive'),
      )
      .option('--batch-size <n>', 'forecasts asked for at once', positiveInteger)
      .option('--option <name=value>', "an option of the models' own; may be repeated", modelOption)
      .option('--fresh', 'compute again what an earlier run left in the output folder')
      .option('--accept-license', 'accept the licence of a model that is pulled')
      .option('--base-url <url>', 'address of the daemon; without it one is started when needed')
      .option('--json', 'print JSON')
      .option('-q, --quiet', 'no progress and no notes')
      .action((options: Omit<EvaluateOptions, 'models'> & { readonly models?: string[] }) =>
        evaluate({ ...options, models: options.models ?? [DEFAULT_MODEL] }),
      ),
    [
      'tollama evaluate --suite gift-eval --data gift-eval-data',
      "tollama evaluate --data gift-eval-data --models auto,chronos-bolt-small --configs 'ett1/*'",
    ],
  );
