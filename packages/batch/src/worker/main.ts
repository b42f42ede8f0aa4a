/** The program of a local worker; `startLocalWorkers` starts it. It ends when its standard input does. */
import { parseArgs } from 'node:util';
import { LOCAL_LEASE_MS, serveWorker } from './serve-worker.ts';

const { values } = parseArgs({
  options: {
    queue: { type: 'string' },
    store: { type: 'string' },
    'base-url': { type: 'string' },
    'lease-ms': { type: 'string' },
  },
});

/** A worker whose queue is away for good must end as well. */
const GOODBYE_MS = 15_000;

const stop = new AbortController();
stop.signal.addEventListener('abort', () => setTimeout(() => process.exit(0), GOODBYE_MS).unref());
// The parent tells its workers when to end, by closing the pipe or by dying; Ctrl-C reaches it as well.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => stop.abort());
process.stdin.on('end', () => stop.abort()).on('error', () => stop.abort());
process.stdin.resume();

await serveWorker({
  queue: values.queue!,
  store: values.store,
  baseUrl: values['base-url'],
  apiKey: process.env.TOLLAMA_API_KEY,
  leaseMs: Number(values['lease-ms'] ?? LOCAL_LEASE_MS),
  stop: stop.signal,
  onChunk: () => {
    const { maxRSS } = process.resourceUsage();
    process.stdout.write(`${maxRSS * 1024}\n`);
  },
});
process.exit(0);
