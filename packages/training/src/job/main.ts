/**
 * The training process: `tollama-train FOLDER` runs the job of a folder. Events go to stdout, a line of JSON each;
 * SIGTERM or SIGINT, or the end of stdin, ends it after the step under way. Exit codes: 0 done, 4 halted, 130
 * stopped, 1 failed.
 */
import { basename } from 'node:path';
import { EXIT, toTollamaError } from '@tollama/core/errors';
import type { JobResult } from '@tollama/core/training-job';
import { openTracer } from '@tollama/telemetry';
import type { Listener } from '../telemetry/telemetry.ts';
import { traceRun } from '../telemetry/trace-run.ts';
import { writeResult } from './export-model.ts';
import { jobPaths } from './job-folder.ts';
import { runJob } from './run-job.ts';

const EXIT_OF: Readonly<Record<JobResult['end'], number>> = {
  finished: EXIT.ok,
  early_stopped: EXIT.ok,
  stopped: EXIT.interrupted,
  halted: EXIT.halted,
  failed: EXIT.failure,
};

const failed = (thrown: unknown): JobResult => {
  const { code, message, hint } = toTollamaError(thrown);
  return {
    end: 'failed',
    step: 0,
    epoch: 0,
    best: null,
    before: null,
    after: null,
    trained_parameters: 0,
    output: null,
    error: { code, message, ...(hint !== undefined && { hint }) },
  };
};

export const trainMain = async ([folder]: readonly string[]): Promise<void> => {
  if (folder === undefined) {
    process.stderr.write('usage: tollama-train FOLDER\n');
    process.exitCode = EXIT.usage;
    return;
  }
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort());
  // Whoever started it holds the other end: without him nobody could stop it.
  process.stdin.on('end', () => stop.abort()).resume();
  process.stdin.unref?.();
  process.stdout.on('error', () => {});
  const print = (event: unknown): void => void process.stdout.write(`${JSON.stringify(event)}\n`);
  await using tracer = await openTracer('tollama-train', process.env);
  const traced = tracer && traceRun(tracer, basename(folder), process.env.TRACEPARENT);
  const onEvent: Listener = (event) => {
    print(event);
    traced?.listen(event);
  };
  try {
    const { end } = await runJob(folder, { signal: stop.signal, onEvent });
    traced?.end();
    process.exitCode = EXIT_OF[end];
  } catch (thrown) {
    traced?.end({ error: thrown });
    const result = failed(thrown);
    process.stderr.write(`${result.error!.code}: ${result.error!.message}\n`);
    await writeResult(jobPaths(folder).result, result).catch(() => {});
    process.exitCode = EXIT.failure;
  }
};
