/** Converts one sealed journal away from the thread that answers requests. */
import { workerData } from 'node:worker_threads';
import { convertSealed } from './sealed-journal.ts';

await convertSealed(workerData as string);
