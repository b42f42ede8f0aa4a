import { Command } from 'commander';
import { connect } from '../daemon/connect.ts';
import { printJson } from '../terminal/json.ts';
import { type CommonOptions, withCommonOptions, withExamples } from './options.ts';

const stop = async (model: string, options: CommonOptions): Promise<void> => {
  const answer = await connect(options).unload(model);
  if (options.json || !process.stdout.isTTY) printJson(answer);
  else console.log(`stopped '${model}'`);
};

export const stopCommand = (): Command =>
  withExamples(
    withCommonOptions(
      new Command('stop').description('free the memory of a loaded model').argument('<model>'),
    ).action(stop),
    ['tollama stop chronos-bolt-small'],
  );
