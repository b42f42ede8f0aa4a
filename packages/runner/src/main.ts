/**
 * The runner process. This thread speaks the protocol on stdin and stdout and stays free to answer hello
 * and ping; models live in a worker thread, where a run may block for seconds.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { LineSplitter } from '@tollama/core/line-splitter';
import { METHODS, PROTOCOL_VERSION, RunnerRequest } from '@tollama/core/runner-protocol';
import { VERSION } from '@tollama/core/version';
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
    options: { family: { type: 'string' }, threads: { type: 'string' } },
  });
  const threads = Number(values.threads ?? process.env.TOLLAMA_THREADS);
  return {
    family: values.family ?? 'any',
    threads: Number.isInteger(threads) && threads > 0 ? threads : availableParallelism(),
  };
};

/** Starts the runner: reads requests from stdin until it ends. */
export const runRunner = (argv: readonly string[]): void => {
  const options = optionsOf(argv);
  const engine = new Worker(new URL('./engine/worker.ts', import.meta.url), {
    workerData: options,
  });
  engine.on('message', (line: string) => write(line));
  engine.on('error', (error) => {
    console.error(error);
    process.exit(1);
  });

  const handle = (line: string): void => {
    if (line.trim() === '') return;
    const request = parseControl(line);
    switch (request?.method) {
      case 'hello':
        answer(request.id, {
          name: `tollama-${options.family}`,
          version: VERSION,
          protocol: PROTOCOL_VERSION,
          capabilities: METHODS,
          supported_families: [options.family],
        });
        break;
      case 'ping':
        answer(request.id, { ok: true });
        break;
      default:
        engine.postMessage(line);
    }
  };

  const splitter = new LineSplitter();
  process.stdin.on('data', (chunk: Buffer) => {
    for (const line of splitter.push(chunk)) handle(line);
  });
  process.stdin.on('end', () => process.exit(0));
  // The daemon decides when a runner ends; a Ctrl-C in the terminal reaches both.
  process.on('SIGINT', () => {});
};
