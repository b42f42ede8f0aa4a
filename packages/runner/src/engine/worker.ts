/** Entry of the worker thread that holds the models: lines in, lines out. */
import { enableCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import type { EngineOptions } from './engine.ts';

// A thread has a cache of its own to switch on, before it loads anything that is worth it.
enableCompileCache();
const { Engine } = await import('./engine.ts');

const port = parentPort!;
const engine = new Engine(workerData as EngineOptions, (line) => port.postMessage(line));
port.on('message', (line: string) => engine.submit(line));
