import { Command } from 'commander';
import { connect } from '../daemon/connect.ts';
import { printJson } from '../terminal/json.ts';
import { type CommonOptions, withCommonOptions, withExamples } from './options.ts';

const rm = async (models: readonly string[], options: CommonOptions): Promise<void> => {
  const client = connect(options);
  for (const model of models) {
    const answer = await client.delete(model);
    if (options.json || !process.stdout.isTTY) printJson(answer);
    else console.log(`deleted '${model}'`);
  }
};

export const rmCommand = (): Command =>
  withExamples(
    withCommonOptions(new Command('rm').description('remove models').argument('<model...>')).action(
      rm,
    ),
    ['tollama rm chronos-bolt-small'],
  );
