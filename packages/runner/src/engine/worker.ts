/** Entry of the worker thread that holds the models: lines in, lines out; null in and out: spans are sent. */
import { enableCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import type { EngineOptions } from './engine.ts';

// A thread has a cache of its own to switch on, before it loads anything that is worth it.
enableCompileCache();
const { Engine } = await import('./engine.ts');
const { openTracer } = await import('@tollama/telemetry/tracer');

const port = parentPort!;
// A wrong address ends the daemon's start with a message; here it only costs the spans.
const tracer = await openTracer('tollama-runner', process.env).catch(() => undefined);
const send = (line: string): void => port.postMessage(line);
const engine = new Engine(workerData as EngineOptions, send, tracer);
port.on('message', (line: string | null) => {
  if (line !== null) return engine.submit(line);
  void (tracer?.flush() ?? Promise.resolve()).then(() => port.postMessage(null));
});
