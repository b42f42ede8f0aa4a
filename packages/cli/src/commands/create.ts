import { readFile } from 'node:fs/promises';
import type { StreamEvent } from '@tollama/client';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { Command } from 'commander';
import { connectOrStart } from '../daemon/connect.ts';
import { humanBytes } from '../terminal/human.ts';
import { printJson } from '../terminal/json.ts';
import { createProgress } from '../terminal/progress.ts';
import { type CommonOptions, positiveInteger, withCommonOptions, withExamples } from './options.ts';

interface CreateOptions extends CommonOptions {
  readonly random?: boolean;
  readonly family?: string;
  readonly config?: string;
  readonly seed: number;
}

const readConfig = async (path: string): Promise<Record<string, unknown>> => {
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw new TollamaError('INVALID_INPUT', `${path} cannot be read: ${errorMessage(cause)}`, {
      cause,
    });
  });
  try {
    const config: unknown = JSON.parse(text);
    if (typeof config === 'object' && config !== null && !Array.isArray(config))
      return config as Record<string, unknown>;
  } catch (cause) {
    throw new TollamaError('INVALID_INPUT', `${path} is not JSON: ${errorMessage(cause)}`, {
      cause,
    });
  }
  throw new TollamaError('INVALID_INPUT', `${path} is not a JSON object`, {
    hint: "give a model's config.json",
  });
};

const create = async (name: string, options: CreateOptions): Promise<void> => {
  if (!options.random || !options.config) {
    throw new TollamaError('INVALID_REQUEST', 'create needs --random and --config', {
      hint: 'tollama create big --random --family chronos-bolt --config config.json',
    });
  }
  const config = await readConfig(options.config);
  const progress = createProgress('auto', options.quiet);
  const client = await connectOrStart(options, progress);
  let last: StreamEvent = {};
  const random = { config, seed: options.seed, ...(options.family && { family: options.family }) };
  try {
    for await (const event of client.create({ model: name, random })) {
      last = event;
      if (event.status !== 'success') progress.status(String(event.status));
    }
  } finally {
    progress.stop();
  }
  if (options.json || !process.stdout.isTTY) return printJson(last);
  const millions = Math.round(Number(last.parameters) / 1e6);
  console.log(
    `created '${name}': ${String(last.family)}, ${millions}M parameters, ${humanBytes(Number(last.size))}`,
  );
};

export const createCommand = (): Command =>
  withExamples(
    withCommonOptions(
      new Command('create')
        .description(
          'make a model with random weights of any size, to measure speed without a download',
        )
        .argument('<name>')
        .option('--random', 'random weights')
        .option('--family <family>', 'refuse a config of another family')
        .option('--config <file>', 'the config.json of the architecture')
        .option('--seed <n>', 'seed of the weights', positiveInteger, 1),
    ).action(create),
    ['tollama create big --random --family chronos-bolt --config config.json'],
  );
