import { Command } from 'commander';
import { connect } from '../daemon/connect.ts';
import { interruptSignal } from '../terminal/interrupt.ts';
import { printJson } from '../terminal/json.ts';
import { createProgress } from '../terminal/progress.ts';
import { followTraining, printTrained } from '../training/follow.ts';
import { type CommonOptions, withCommonOptions, withExamples } from './options.ts';
import { findTraining } from './train-jobs.ts';

const watch = async (id: string | undefined, options: CommonOptions): Promise<void> => {
  const client = connect(options);
  const { id: found } = await findTraining(client, id);
  const signal = interruptSignal();
  if (options.json) {
    for await (const { data } of client.trainingEvents(found, 0, { signal })) {
      process.stdout.write(`${JSON.stringify(data)}\n`);
    }
    return;
  }
  const progress = createProgress('auto', options.quiet);
  const isQuiet = options.quiet ?? false;
  const ended = await followTraining(client, found, { progress, isQuiet, signal });
  if (process.stdout.isTTY) printTrained(ended);
  else printJson(ended);
};

export const trainWatchCommand = (): Command =>
  withExamples(
    withCommonOptions(
      new Command('watch')
        .description('look at a training: losses, rollbacks, how long it will take')
        .argument('[id]', 'id or model of the training (default: the one that runs)'),
    ).action((id: string | undefined, _: unknown, command: Command) =>
      watch(id, command.optsWithGlobals()),
    ),
    ['tollama train watch', 'tollama train watch --json'],
  );
