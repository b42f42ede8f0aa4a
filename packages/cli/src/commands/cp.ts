import { Command } from 'commander';
import { connect } from '../daemon/connect.ts';
import { printJson } from '../terminal/json.ts';
import { type CommonOptions, withCommonOptions, withExamples } from './options.ts';

const copy = async (source: string, destination: string, options: CommonOptions): Promise<void> => {
  const answer = await connect(options).copy(source, destination);
  if (options.json || !process.stdout.isTTY) printJson(answer);
  else console.log(`copied '${source}' to '${destination}'`);
};

export const cpCommand = (): Command =>
  withExamples(
    withCommonOptions(
      new Command('cp')
        .description('the same model under another name; weights are linked, not copied')
        .argument('<source>')
        .argument('<destination>'),
    ).action(copy),
    ['tollama cp chronos-bolt-small mine'],
  );
