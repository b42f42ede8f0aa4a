/** Entry of the worker thread that holds the models: lines in, lines out. */
import { parentPort, workerData } from 'node:worker_threads';
import { Engine, type EngineOptions } from './engine.ts';

const port = parentPort!;
const engine = new Engine(workerData as EngineOptions, (line) => port.postMessage(line));
port.on('message', (line: string) => engine.submit(line));
