import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { CreateBody, StreamEvent } from '@tollama/client';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { Command } from 'commander';
import { connectOrStart } from '../daemon/connect.ts';
import { humanBytes } from '../terminal/human.ts';
import { printJson } from '../terminal/json.ts';
import { createProgress } from '../terminal/progress.ts';
import { type CommonOptions, positiveInteger, withCommonOptions, withExamples } from './options.ts';

interface CreateOptions extends CommonOptions {
  readonly file?: string;
  readonly random?: boolean;
  readonly family?: string;
  readonly config?: string;
  readonly seed: number;
}

const readText = (path: string): Promise<string> =>
  readFile(path, 'utf8').catch((cause) => {
    throw new TollamaError('INVALID_INPUT', `${path} cannot be read: ${errorMessage(cause)}`, {
      cause,
    });
  });

const readConfig = async (path: string): Promise<Record<string, unknown>> => {
  const text = await readText(path);
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

/** What to make: random weights of a config, or what a Modelfile says. */
const bodyOf = async (name: string, options: CreateOptions): Promise<CreateBody> => {
  if (options.file !== undefined && !options.random) {
    const modelfile = await readText(options.file);
    return { model: name, modelfile, folder: dirname(resolve(options.file)) };
  }
  if (!options.random || !options.config) {
    throw new TollamaError(
      'INVALID_REQUEST',
      'create needs a Modelfile, or --random and --config',
      {
        hint: 'tollama create mine --file Modelfile, or tollama create big --random --config config.json',
      },
    );
  }
  const config = await readConfig(options.config);
  return {
    model: name,
    random: { config, seed: options.seed, ...(options.family && { family: options.family }) },
  };
};

const create = async (name: string, options: CreateOptions): Promise<void> => {
  const body = await bodyOf(name, options);
  const progress = createProgress('auto', options.quiet);
  const client = await connectOrStart(options, progress);
  let last: StreamEvent = {};
  try {
    for await (const event of client.create(body)) {
      last = event;
      if (event.status !== 'success') progress.status(String(event.status));
    }
  } finally {
    progress.stop();
  }
  if (options.json || !process.stdout.isTTY) {
    printJson(last);
    return;
  }
  const millions = Math.round(Number(last.parameters) / 1e6);
  const what = body.random
    ? `${millions}M parameters, ${humanBytes(Number(last.size))}`
    : `from '${String(last.from)}'`;
  console.log(`created '${name}': ${String(last.family)}, ${what}`);
};

export const createCommand = (): Command =>
  withExamples(
    withCommonOptions(
      new Command('create')
        .description(
          'make a model: another one with settings of its own, or one with random weights of any size',
        )
        .argument('<name>')
        .option('-f, --file <file>', 'Modelfile: FROM, PARAMETER, ADAPTER, LICENSE, DESCRIPTION')
        .option('--random', 'random weights, to measure speed without a download')
        .option('--family <family>', 'refuse a config of another family')
        .option('--config <file>', 'the config.json of the architecture')
        .option('--seed <n>', 'seed of the weights', positiveInteger, 1),
    ).action(create),
    [
      'tollama create sales --file Modelfile',
      'tollama create big --random --family chronos-bolt --config config.json',
    ],
  );
