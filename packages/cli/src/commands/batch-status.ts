import { type BatchRun, isBatchActive } from '@tollama/core/batch-run';
import { readSettings } from '@tollama/core/settings';
import { Command } from 'commander';
import { humanBytes, humanDuration, humanTime } from '../terminal/human.ts';
import { printJson } from '../terminal/json.ts';
import { table } from '../terminal/table.ts';

const SHARED = ['SERIES', 'FAILED', 'RATE', 'LEFT', 'MEMORY', 'SEEN'];

const isJson = (command: Command): boolean =>
  command.optsWithGlobals<{ json?: boolean }>().json ?? false;

const status = async (output: string, command: Command): Promise<void> => {
  const { batchStatus } = await import('@tollama/batch');
  const found = await batchStatus(output);
  if (isJson(command)) return printJson(found);
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
  console.log(table(['STATE', 'MODEL', 'HORIZON', ...SHARED], [row]));
};

const rowOf = (run: BatchRun, now: number): string[] => {
  const isActive = isBatchActive(run);
  return [
    run.output,
    run.status,
    run.model,
    String(run.horizon),
    run.total > 0 ? `${run.series}/${run.total}` : '-',
    String(run.failed),
    isActive ? `${Math.round(run.series_per_second)}/s` : '-',
    isActive && run.eta_ms ? humanDuration(run.eta_ms) : '-',
    run.memory_bytes > 0 ? humanBytes(run.memory_bytes) : '-',
    humanTime(Date.parse(run.updated_at), now),
  ];
};

/** All runs that this machine knows of, wherever they write. */
const list = async (command: Command): Promise<void> => {
  const { listBatchRuns } = await import('@tollama/batch');
  const runs = await listBatchRuns(readSettings(process.env).home);
  if (isJson(command)) return printJson({ batches: runs });
  if (runs.length === 0) return console.log('no batch runs are known');
  const now = Date.now();
  const header = ['OUTPUT', 'STATE', 'MODEL', 'HORIZON', ...SHARED];
  console.log(
    table(
      header,
      runs.map((run) => rowOf(run, now)),
    ),
  );
};

export const batchStatusCommand = (): Command =>
  new Command('status')
    .description('how the run of an output folder stands; without one, all that are known')
    .argument('[output]', 'the folder that --output named')
    .option('--json', 'print JSON')
    .action((output: string | undefined, _options: unknown, command: Command) =>
      output === undefined ? list(command) : status(output, command),
    );
