import { resolve } from 'node:path';
import { TollamaError } from '@tollama/core/errors';
import { mergeTrained } from '@tollama/training/job/merge-trained';
import { Command } from 'commander';
import { connect } from '../daemon/connect.ts';
import { printJson } from '../terminal/json.ts';
import { type CommonOptions, withCommonOptions, withExamples } from './options.ts';

interface MergeOptions extends CommonOptions {
  readonly output?: string;
}

/** Files of an installed model, as the daemon tells of them. */
interface Files {
  readonly snapshot_path?: string | null;
  readonly adapter?: string | null;
}

const merge = async (model: string, options: MergeOptions): Promise<void> => {
  if (options.output === undefined) {
    throw new TollamaError('INVALID_REQUEST', 'train merge needs --output', {
      hint: `tollama train merge ${model} --output folder`,
    });
  }
  const { snapshot_path: base, adapter } = (await connect(options).show(model)) as Files;
  if (!base || !adapter) {
    throw new TollamaError('INVALID_REQUEST', `'${model}' is no adapter over another model`, {
      hint: 'tollama list shows the models; name one that tollama train made with --adapter lora',
    });
  }
  const folder = resolve(options.output);
  await mergeTrained(base, adapter, folder);
  if (options.json || !process.stdout.isTTY) return printJson({ model, folder });
  console.log(`${folder} holds ${model} as one checkpoint; tollama pull ${folder} installs it`);
};

export const trainMergeCommand = (): Command =>
  withExamples(
    withCommonOptions(
      new Command('merge')
        .description('write a LoRA or head adapter into the weights of its base')
        .argument('<model>', 'an installed adapter, such as chronos-bolt-small:sales')
        .option('-o, --output <folder>', 'gets model.safetensors and config.json'),
    ).action((model: string, _: unknown, command: Command) =>
      merge(model, command.optsWithGlobals()),
    ),
    ['tollama train merge chronos-bolt-small:sales --output sales-merged'],
  );
