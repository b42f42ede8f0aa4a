/**
 * The runner process. This thread speaks the protocol on stdin and stdout and stays free to answer hello
 * and ping; models live in a worker thread, where a run may block for seconds.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { LineSplitter } from '@tollama/core/line-splitter';
import {
  METHODS,
  PROTOCOL_VERSION,
  RunnerRequest,
  TRACE_CAPABILITY,
} from '@tollama/core/runner-protocol';
import { VERSION } from '@tollama/core/version';
import { traceSettings } from '@tollama/telemetry/trace-settings';
import { chosenRuntime } from './chosen-runtime.ts';
import type { EngineOptions } from './engine/engine.ts';

/** Longer lines carry numbers: they are parsed once, by the engine. */
const CONTROL_LINE_LENGTH = 1024;

const write = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const answer = (id: string, result: unknown): void => write(JSON.stringify({ id, result }));

const parseControl = (line: string): RunnerRequest | undefined => {
  if (line.length > CONTROL_LINE_LENGTH) return undefined;
  try {
    const parsed = RunnerRequest.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
};

const optionsOf = (argv: readonly string[]): EngineOptions => {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      family: { type: 'string' },
      threads: { type: 'string' },
      runtimes: { type: 'string' },
    },
  });
  const threads = Number(values.threads ?? process.env.TOLLAMA_THREADS);
  return {
    family: values.family ?? 'any',
    threads: Number.isInteger(threads) && threads > 0 ? threads : availableParallelism(),
    runtime: chosenRuntime(values.runtimes),
  };
};

const isTraced = (): boolean => {
  try {
    return traceSettings('', process.env) !== undefined;
  } catch {
    return false;
  }
};

/** Spans that wait are sent before the end, unless the models' thread is busy for longer. */
const FLUSH_MS = 1500;

const endOf = (engine: Worker) => (): void => {
  if (!isTraced()) process.exit(0);
  engine.postMessage(null);
  setTimeout(() => process.exit(0), FLUSH_MS);
};

/** Answers what this thread can answer; tells whether the line is for the engine. */
const isForEngine = (line: string, family: string): boolean => {
  if (line.trim() === '') return false;
  const request = parseControl(line);
  switch (request?.method) {
    case 'hello':
      answer(request.id, {
        name: `tollama-${family}`,
        version: VERSION,
        protocol: PROTOCOL_VERSION,
        capabilities: [...METHODS, TRACE_CAPABILITY],
        supported_families: [family],
      });
      return false;
    case 'ping':
      answer(request.id, { ok: true });
      return false;
    default:
      return true;
  }
};

/** Starts the runner: reads requests from stdin until it ends. */
export const runRunner = (argv: readonly string[]): void => {
  const options = optionsOf(argv);
  const engine = new Worker(new URL('./engine/worker.ts', import.meta.url), {
    workerData: options,
  });
  engine.on('message', (lines: string | null) => {
    if (lines === null) process.exit(0);
    write(lines);
  });
  engine.on('error', (error) => {
    console.error(error);
    process.exit(1);
  });
  const splitter = new LineSplitter();
  process.stdin.on('data', (chunk: Buffer) => {
    const lines = splitter.push(chunk).filter((line) => isForEngine(line, options.family));
    if (lines.length > 0) engine.postMessage(lines);
  });
  const end = endOf(engine);
  process.stdin.on('end', end);
  if (isTraced()) process.once('SIGTERM', end);
  // The daemon decides when a runner ends; a Ctrl-C in the terminal reaches both.
  process.on('SIGINT', () => {});
};
