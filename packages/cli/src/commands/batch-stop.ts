import { isBatchActive } from '@tollama/core/batch-run';
import { TollamaError } from '@tollama/core/errors';
import { readSettings } from '@tollama/core/settings';
import { Command } from 'commander';
import { printJson } from '../terminal/json.ts';

const stop = async (output: string, _options: unknown, command: Command): Promise<void> => {
  const { batchIdOf, listBatchRuns, stopBatchRun } = await import('@tollama/batch');
  const { home } = readSettings(process.env);
  const id = batchIdOf(output);
  const known = await listBatchRuns(home);
  if (!known.some((run) => run.id === id)) {
    throw new TollamaError('NOT_FOUND', `no batch run is known that writes to ${output}`, {
      hint: '`tollama batch status` lists those that are known',
    });
  }
  const run = await stopBatchRun(home, id);
  const isAsked = isBatchActive(run);
  if (command.optsWithGlobals<{ json?: boolean }>().json) {
    return printJson({ id, output: run.output, status: run.status, asked: isAsked });
  }
  console.log(
    isAsked
      ? `asked the run of ${run.output} to stop; the same command goes on with it`
      : `the run of ${run.output} is ${run.status}: there is nothing to stop`,
  );
};

export const batchStopCommand = (): Command =>
  new Command('stop')
    .description('ask the run of an output folder to stop; it can go on later')
    .argument('<output>', 'the folder that --output named')
    .option('--json', 'print JSON')
    .action(stop);
