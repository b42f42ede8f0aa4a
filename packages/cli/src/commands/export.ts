import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { TollamaError } from '@tollama/core/errors';
import { Command, Option } from 'commander';
import { connectOrStart } from '../daemon/connect.ts';
import type { WriteExportRequest } from '../export/write-export.ts';
import { humanBytes } from '../terminal/human.ts';
import { printJson } from '../terminal/json.ts';
import { createProgress, type Progress } from '../terminal/progress.ts';
import { type CommonOptions, positiveInteger, withCommonOptions, withExamples } from './options.ts';

interface ExportOptions extends CommonOptions {
  readonly format: WriteExportRequest['format'];
  readonly output: string;
  readonly precision: WriteExportRequest['precision'];
  readonly weights: WriteExportRequest['weights'];
  readonly sizes: 'symbolic' | 'fixed';
  readonly batch?: number;
  readonly context?: number;
  readonly horizon?: number;
  readonly graphs?: string;
  readonly adapter?: string;
  readonly name?: string;
  readonly modelVersion: number;
  readonly maxBatchSize: number;
  readonly maxQueueDelay: number;
  readonly instances: number;
  readonly threads: number;
  readonly force?: boolean;
}

interface Source {
  readonly folder: string;
  readonly adapter?: string | undefined;
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Anything with a separator, and a folder here that has a config.json. */
const isCheckpointFolder = async (model: string): Promise<boolean> =>
  /[/\\]/.test(model) || (await exists(join(model, 'config.json')));

interface Shown {
  readonly snapshot_path?: string | null;
  readonly adapter_path?: string | null;
}

/** A folder with a checkpoint, or the files of an installed model. */
const sourceOf = async (
  model: string,
  options: ExportOptions,
  progress: Progress,
): Promise<Source> => {
  if (await isCheckpointFolder(model)) return { folder: resolve(model), adapter: options.adapter };
  const shown = (await (await connectOrStart(options, progress)).show(model)) as Shown;
  if (!shown.snapshot_path) {
    throw new TollamaError('MODEL_UNSUPPORTED', `model '${model}' has no checkpoint to export`, {
      hint: 'models without weights are served by tollama alone',
    });
  }
  return {
    folder: shown.snapshot_path,
    adapter: options.adapter ?? shown.adapter_path ?? undefined,
  };
};

const exportTo = async (model: string, options: ExportOptions): Promise<void> => {
  const progress = createProgress('auto', options.quiet);
  try {
    const source = await sourceOf(model, options, progress);
    progress.status(`exporting ${model}`);
    const { writeExport } = await import('../export/write-export.ts');
    const written = await writeExport({
      ...options,
      ...source,
      name: options.name ?? basename(model).replace(/[^\w.-]/g, '-'),
      output: resolve(options.output),
      isFixed: options.sizes === 'fixed',
      graphs: options.graphs?.split(',').map((name) => name.trim()),
      version: options.modelVersion,
      maxQueueDelayMicroseconds: options.maxQueueDelay,
      isForced: options.force ?? false,
    });
    progress.stop();
    const { family, isOnePass, graphs } = written.model;
    const files = graphs.flatMap((graph) => graph.model.files);
    if (options.json) {
      return printJson({ model, family, one_pass: isOnePass, folder: written.folder, files });
    }
    for (const { name, model: made } of graphs) {
      console.log(
        `${made.files.join(' + ')}  graph ${name}, ${humanBytes(made.weightBytes)} of weights`,
      );
    }
    console.log(`wrote ${written.folder}; try it: python client.py`);
    if (!isOnePass && !options.quiet) {
      process.stderr.write(
        `note: a forecast of family '${family}' runs these parts in a loop, which is not exported; model.json tells more\n`,
      );
    }
  } finally {
    progress.stop();
  }
};

const withFormatOptions = (command: Command): Command =>
  command
    .addOption(
      new Option('--format <format>', 'plain ONNX, or a repository for Triton and KServe')
        .choices(['onnx', 'triton'])
        .default('onnx'),
    )
    .requiredOption('-o, --output <folder>', 'where the files go')
    .addOption(
      new Option('--precision <precision>', 'of linear layers')
        .choices(['float32', 'int8'])
        .default('float32'),
    )
    .addOption(
      new Option('--weights <place>', 'inside of the model file or in one file beside it')
        .choices(['auto', 'inside', 'beside'])
        .default('auto'),
    )
    .addOption(
      new Option('--sizes <sizes>', 'free sizes, or those of --batch, --context and --horizon')
        .choices(['symbolic', 'fixed'])
        .default('symbolic'),
    )
    .option('--batch <series>', 'series of the example', positiveInteger)
    .option('--context <points>', 'points of the example', positiveInteger)
    .option('--horizon <steps>', 'steps of the example', positiveInteger)
    .option('--graphs <names>', 'graphs of the family (default: those that a forecast uses)')
    .option('--adapter <folder>', 'a LoRA adapter to merge into the weights')
    .option('--name <name>', 'name of the exported model')
    .option('--force', 'write into a folder that is not empty');

export const exportCommand = (): Command =>
  withExamples(
    withCommonOptions(
      withFormatOptions(
        new Command('export')
          .description('write a model as ONNX that runs without tollama, or as a Triton repository')
          .argument('<model>', 'an installed model, or a folder with a checkpoint'),
      )
        .option('--model-version <number>', 'Triton: version to write', positiveInteger, 1)
        .option('--max-batch-size <rows>', 'Triton: most rows of one run', positiveInteger, 64)
        .option(
          '--max-queue-delay <microseconds>',
          'Triton: how long a run waits for more rows',
          Number,
          0,
        )
        .option('--instances <count>', 'Triton: copies of the model', positiveInteger, 1)
        .option(
          '--threads <count>',
          'Triton: threads of a run',
          positiveInteger,
          availableParallelism(),
        ),
    ).action(exportTo),
    [
      'tollama export chronos-bolt-small --output chronos-bolt-onnx',
      'tollama export chronos-bolt-small --format triton --output model-repository',
      'tollama export ./my-checkpoint --precision int8 --sizes fixed --batch 8 --context 512 --output out',
    ],
    ['TOLLAMA_HOST  address of the daemon that knows installed models'],
  );
