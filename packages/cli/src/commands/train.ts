import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { TollamaClient, TrainBody } from '@tollama/client';
import { EXIT, errorMessage, TollamaError } from '@tollama/core/errors';
import {
  ADAPTER_KINDS,
  type JobState,
  TRAINED_FAMILIES,
  TRAINING_LOSSES,
} from '@tollama/core/training-job';
import { readSeries } from '@tollama/ingest/read-series';
import { Command, Option } from 'commander';
import { connectOrStart } from '../daemon/connect.ts';
import { pullingWhenMissing } from '../forecast/ask.ts';
import { seriesInChunks } from '../forecast/body.ts';
import { interruptedExitCode, interruptSignal } from '../terminal/interrupt.ts';
import { printJson } from '../terminal/json.ts';
import { createProgress } from '../terminal/progress.ts';
import { followTraining, printTrained } from '../training/follow.ts';
import {
  type CommonOptions,
  positiveInteger,
  positiveNumber,
  withCommonOptions,
  withExamples,
} from './options.ts';
import { trainHarnessCommand } from './train-harness.ts';
import { trainListCommand, trainResumeCommand, trainStopCommand } from './train-jobs.ts';
import { trainMergeCommand } from './train-merge.ts';
import { trainWatchCommand } from './train-watch.ts';

interface TrainOptions extends CommonOptions {
  readonly data: string;
  readonly name: string;
  readonly adapter?: string;
  readonly fromScratch?: string;
  readonly horizon?: number;
  readonly context?: number;
  readonly loss?: string;
  readonly steps?: number;
  readonly epochs?: number;
  readonly batch?: number;
  readonly accumulate?: number;
  readonly lr?: number;
  readonly findLr?: boolean;
  readonly findBatch?: boolean;
  readonly memory?: number;
  readonly schedule?: string;
  readonly optimizer?: string;
  readonly weightDecay?: number;
  readonly rank?: number;
  readonly loraAlpha?: number;
  readonly rslora?: boolean;
  readonly targets?: string[];
  readonly ema?: number;
  readonly patience?: number;
  readonly validationWindows?: number;
  readonly seed?: number;
  readonly threads: number;
  readonly workers?: number;
  readonly keep?: number;
  readonly freq?: string;
  readonly idCol?: string;
  readonly timeCol?: string;
  readonly targetCol?: string;
  readonly covariates?: string[];
  readonly detach?: boolean;
  readonly acceptLicense?: boolean;
}

const list = (text: string): string[] => text.split(',').map((part) => part.trim());

/** `all-linear` is a word of PEFT's, not the name of a layer. */
const targetsOf = (targets: string[] | undefined): string[] | string | undefined =>
  targets?.length === 1 && targets[0] === 'all-linear' ? 'all-linear' : targets;

const jobOptions = (o: TrainOptions): NonNullable<TrainBody['options']> => {
  const fields = {
    adapter: o.adapter,
    horizon: o.horizon,
    context: o.context,
    loss: o.loss,
    steps: o.steps,
    epochs: o.epochs,
    batch_size: o.batch,
    accumulate: o.accumulate,
    learning_rate: o.lr,
    find_learning_rate: o.findLr,
    find_batch_size: o.findBatch,
    memory_mb: o.memory,
    schedule: o.schedule,
    optimizer: o.optimizer,
    weight_decay: o.weightDecay,
    rank: o.rank,
    lora_alpha: o.loraAlpha,
    use_rslora: o.rslora,
    target_modules: targetsOf(o.targets),
    ema: o.ema,
    patience: o.patience,
    validation_windows: o.validationWindows,
    seed: o.seed,
    threads: o.threads,
    workers: o.workers,
    keep: o.keep,
  };
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as NonNullable<TrainBody['options']>;
};

const readArchitecture = async (path: string): Promise<Record<string, unknown>> => {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  } catch (cause) {
    const message = `${path} is no config.json: ${errorMessage(cause)}`;
    throw new TollamaError('INVALID_INPUT', message, {
      hint: 'give the config.json of the architecture with --from-scratch',
      cause,
    });
  }
};

/** Whether the daemon reads the same files as this command. */
const isOnThisMachine = ({ baseUrl }: CommonOptions): boolean =>
  baseUrl === undefined || /\/\/(?:127\.|localhost|\[::1\])/.test(baseUrl);

/** Columns that an architecture reads beside the target. */
const covariatesOf = (architecture: Readonly<Record<string, unknown>> = {}): string[] => {
  const { past_covariates = [], future_covariates = [] } = architecture;
  return [past_covariates, future_covariates].flatMap((names) =>
    Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [],
  );
};

/** A file goes by its path where the daemon can read it, else its series go along. */
const dataOf = async (
  o: TrainOptions,
  architecture: Readonly<Record<string, unknown>> | undefined,
): Promise<Pick<TrainBody, 'series' | 'data_url' | 'ingest'>> => {
  if (o.data !== '-' && isOnThisMachine(o)) {
    const ingest = {
      series_id_column: o.idCol,
      timestamp_column: o.timeCol,
      target_column: o.targetCol,
      covariate_columns: o.covariates,
      freq: o.freq,
    };
    const given = Object.entries(ingest).filter(([, value]) => value !== undefined);
    return {
      data_url: resolve(o.data),
      ...(given.length > 0 && { ingest: Object.fromEntries(given) }),
    };
  }
  const covariates = o.covariates ?? covariatesOf(architecture);
  const { series } = await readSeries({
    path: o.data,
    stdin: process.stdin,
    idColumn: o.idCol,
    timeColumn: o.timeCol,
    targetColumns: o.targetCol === undefined ? undefined : [o.targetCol],
  });
  return { series: seriesInChunks(series, { freq: o.freq, covariates }).flat() };
};

const bodyOf = async (model: string | undefined, o: TrainOptions): Promise<TrainBody> => {
  if ((model === undefined) === (o.fromScratch === undefined)) {
    throw new TollamaError('INVALID_REQUEST', 'train needs a model, or --from-scratch', {
      hint: 'tollama train chronos-bolt-small --data sales.csv --name sales',
    });
  }
  const architecture = o.fromScratch ? await readArchitecture(o.fromScratch) : undefined;
  return {
    ...(architecture ? { architecture } : { model: model! }),
    name: o.name,
    ...(await dataOf(o, architecture)),
    options: jobOptions(o),
  };
};

/** Shows the training to its end; an interrupt stops it, and says how to go on. */
const follow = async (
  client: TollamaClient,
  job: JobState,
  { signal, ...o }: TrainOptions & { readonly signal: AbortSignal },
): Promise<void> => {
  const progress = createProgress('auto', o.quiet);
  const stop = (): void => {
    process.stderr.write(`\nstopping after this step; tollama train resume ${job.id} goes on\n`);
    void client.stopTraining(job.id).catch(() => {});
  };
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  const ended = await followTraining(client, job.id, { progress, isQuiet: o.quiet ?? false });
  if (o.json || !process.stdout.isTTY) printJson(ended);
  else printTrained(ended);
  if (signal.aborted) process.exitCode = interruptedExitCode() ?? EXIT.interrupted;
};

type Given = Omit<TrainOptions, 'data' | 'name'> & Partial<Pick<TrainOptions, 'data' | 'name'>>;

/** Commander would ask them of `train list` as well. */
const withRequired = ({ data, name, ...rest }: Given): TrainOptions => {
  if (data !== undefined && name !== undefined) return { ...rest, data, name };
  const missing = data === undefined ? '--data' : '--name';
  throw new TollamaError('INVALID_REQUEST', `train needs ${missing}`, {
    hint: 'tollama train chronos-bolt-small --data sales.csv --name sales',
  });
};

const train = async (model: string | undefined, given: Given): Promise<void> => {
  const options = withRequired(given);
  // From the start: a training must not begin that nobody stops.
  const signal = interruptSignal();
  const body = await bodyOf(model, options);
  const progress = createProgress('auto', options.quiet);
  const client = await connectOrStart(options, progress);
  const ask = {
    client,
    progress,
    signal,
    acceptLicense: options.acceptLicense ?? false,
    printsPull: false,
  };
  progress.status('starting the training');
  signal.throwIfAborted();
  const job = await pullingWhenMissing(model ?? '', ask, () => client.train(body)).finally(() =>
    progress.stop(),
  );
  if (!options.detach) return follow(client, job, { ...options, signal });
  if (options.json || !process.stdout.isTTY) printJson(job);
  else
    console.log(`training ${job.id} makes '${job.name}'; tollama train watch ${job.id} shows it`);
};

const withTrainOptions = (command: Command): Command =>
  command
    .argument(
      '[model]',
      `the model to adapt, pulled when it is missing; of ${TRAINED_FAMILIES.join(', ')}`,
    )
    .option('-d, --data <file>', 'CSV, JSON, NDJSON or Parquet; - for stdin')
    .option('-n, --name <name>', 'the new model is called MODEL:NAME')
    .addOption(
      new Option('-a, --adapter <kind>', 'what is trained (default: lora)').choices(ADAPTER_KINDS),
    )
    .option(
      '--from-scratch <config>',
      'train the architecture of a config.json from random weights',
    )
    .option(
      '-h, --horizon <steps>',
      'steps of a label (default: what a pass gives)',
      positiveInteger,
    )
    .option(
      '--context <points>',
      'points that are read (default: as many as it can, at most 2048)',
      positiveInteger,
    )
    .addOption(
      new Option('--loss <kind>', "of the point forecast (default: the family's own)").choices(
        TRAINING_LOSSES,
      ),
    )
    .option('--steps <n>', 'steps of the optimizer in all (default: 500)', positiveInteger)
    .option('--epochs <n>', 'validations on the way (default: 10)', positiveInteger)
    .option('--batch <n>', 'windows of a batch (default: 32)', positiveInteger)
    .option('--accumulate <n>', 'batches of a step (default: 1)', positiveInteger)
    .option('--lr <rate>', 'highest learning rate (default: what fits the adapter)', positiveNumber)
    .addOption(new Option('--find-lr', 'find the learning rate by a sweep').conflicts('lr'))
    .addOption(new Option('--find-batch', 'find the size of a batch by trials').conflicts('batch'))
    .option('--memory <mb>', 'of a step in these trials (default: half of it)', positiveInteger)
    .option('--schedule <kind>', 'cosine, linear, constant, wsd, one-cycle (default: cosine)')
    .option('--optimizer <kind>', 'adamw, sgd or muon (default: adamw)')
    .option('--weight-decay <x>', 'decoupled weight decay (default: 0.01)', Number)
    .option(
      '--rank <r>',
      'rank of LoRA and DoRA, width of a bottleneck (default: 8)',
      positiveInteger,
    )
    .option('--lora-alpha <x>', 'alpha of LoRA (default: twice the rank)', positiveNumber)
    .option('--rslora', 'scale LoRA by the root of its rank')
    .option('--targets <names>', 'linear layers that get an adapter, or all-linear', list)
    .option('--ema <decay>', 'keep a moving average of the weights', positiveNumber)
    .option('--patience <n>', 'validations without progress that end it', positiveInteger)
    .option('--validation-windows <n>', 'labels at the end of each series that validate', Number)
    .option('--seed <n>', 'seed of weights and windows (default: 1)', positiveInteger)
    .option(
      '--threads <n>',
      'threads of the training',
      positiveInteger,
      Math.min(4, availableParallelism()),
    )
    .option('--workers <n>', 'share the --accumulate batches of a step', positiveInteger)
    .option('--keep <n>', 'checkpoints that stay (default: 3)', positiveInteger)
    .option('--freq <alias>', 'frequency of the series (default: from the timestamps)')
    .option('--id-col <name>', 'column of the series ids')
    .option('--time-col <name>', 'column of the timestamps')
    .option('--target-col <name>', 'column of the values')
    .option('--covariates <names>', 'columns that go along (default: what the model reads)', list)
    .option('--detach', 'only start it')
    .option('--accept-license', 'accept the licence of a model that is pulled')
    .helpOption('--help', 'print this help');

export const trainCommand = (): Command => {
  // What stands after the name of an inner command is that command's: both have --epochs and --seed.
  const command = withExamples(
    withCommonOptions(
      withTrainOptions(
        new Command('train')
          .description('adapt a model to your series, or train one from scratch')
          .enablePositionalOptions(),
      ),
    ).action(train),
    [
      'tollama train chronos-bolt-small --data sales.parquet --name sales',
      'tollama run chronos-bolt-small:sales --input sales.parquet --horizon 28',
      'tollama train --from-scratch nhits.json --data sales.csv --name sales-nhits',
      'tollama train watch',
    ],
  );
  const inner = [trainWatchCommand, trainListCommand, trainStopCommand, trainResumeCommand];
  for (const build of [...inner, trainMergeCommand, trainHarnessCommand]) {
    command.addCommand(build());
  }
  return command;
};
