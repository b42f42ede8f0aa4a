import { Command } from 'commander';
import { humanBytes, humanDuration, humanTime } from '../terminal/human.ts';
import { printJson } from '../terminal/json.ts';
import { table } from '../terminal/table.ts';

const status = async (output: string, _options: unknown, command: Command): Promise<void> => {
  const { batchStatus } = await import('@tollama/batch');
  const found = await batchStatus(output);
  if (command.optsWithGlobals<{ json?: boolean }>().json) return printJson(found);
  const { state, model, horizon, progress } = found;
  const isRunning = state === 'running';
  const row = [
    state,
    model,
    String(horizon),
    progress ? `${progress.series}/${progress.total}` : '-',
    progress ? String(progress.failed) : '-',
    progress && isRunning ? `${Math.round(progress.seriesPerSecond)}/s` : '-',
    progress?.etaMs && isRunning ? humanDuration(progress.etaMs) : '-',
    progress ? humanBytes(progress.memoryBytes) : '-',
    progress ? humanTime(Date.parse(progress.updatedAt), Date.now()) : '-',
  ];
  const header = [
    'STATE',
    'MODEL',
    'HORIZON',
    'SERIES',
    'FAILED',
    'RATE',
    'LEFT',
    'MEMORY',
    'SEEN',
  ];
  console.log(table(header, [row]));
};

export const batchStatusCommand = (): Command =>
  new Command('status')
    .description('how the run of an output folder stands')
    .argument('<output>', 'the folder that --output named')
    .option('--json', 'print JSON')
    .action(status);
