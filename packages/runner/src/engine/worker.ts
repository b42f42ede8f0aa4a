/** Entry of the worker thread that holds the models: lines in, lines out; null in and out: spans are sent. */
import { enableCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { useRuntime } from '../chosen-runtime.ts';
import type { EngineOptions } from './engine.ts';

// A thread has a cache of its own to switch on, before it loads anything that is worth it.
enableCompileCache();
const { Engine } = await import('./engine.ts');
const { openTracer } = await import('@tollama/telemetry/tracer');
const options = workerData as EngineOptions;
if (options.runtime !== undefined) useRuntime(options.runtime);

const port = parentPort!;
// A wrong address ends the daemon's start with a message; here it only costs the spans.
const tracer = await openTracer('tollama-runner', process.env).catch(() => undefined);

/** Answers of one turn of the event loop travel together. */
let answers: string[] = [];
const send = (line: string): void => {
  if (answers.length === 0) {
    queueMicrotask(() => {
      port.postMessage(answers.join('\n'));
      answers = [];
    });
  }
  answers.push(line);
};

const engine = new Engine(options, send, tracer);
port.on('message', (lines: readonly string[] | null) => {
  if (lines === null) {
    void (tracer?.flush() ?? Promise.resolve()).then(() => port.postMessage(null));
    return;
  }
  for (const line of lines) engine.submit(line);
});
