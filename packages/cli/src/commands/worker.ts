import { readSettings } from '@tollama/core/settings';
import { Command } from 'commander';
import { interruptSignal } from '../terminal/interrupt.ts';
import { createProgress } from '../terminal/progress.ts';
import { withExamples } from './options.ts';

interface WorkerCommandOptions {
  readonly queue: string;
  readonly baseUrl?: string;
  readonly quiet?: boolean;
}

const baseUrlOf = ({ baseUrl }: WorkerCommandOptions): string => {
  if (baseUrl) return /^https?:\/\//.test(baseUrl) ? baseUrl : `http://${baseUrl}`;
  const { host, port } = readSettings(process.env);
  return `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${port}`;
};

const work = async (options: WorkerCommandOptions): Promise<void> => {
  const progress = createProgress('auto', options.quiet);
  const stop = interruptSignal();
  const { SHARED_LEASE_MS, serveWorker } = await import('@tollama/batch');
  let series = 0;
  let failed = 0;
  progress.status(`connecting to ${options.queue.replace(/\/\/[^@/]*@/, '//')}`);
  try {
    await serveWorker({
      queue: options.queue,
      baseUrl: baseUrlOf(options),
      apiKey: process.env.TOLLAMA_API_KEY,
      leaseMs: SHARED_LEASE_MS,
      stop,
      onReady: () => progress.status('waiting for chunks'),
      onChunk: (chunk) => {
        series += chunk.series;
        failed += chunk.failed;
        progress.status(`${series} series forecast${failed > 0 ? `, ${failed} failed` : ''}`);
      },
    });
  } finally {
    progress.stop();
  }
};

export const workerCommand = (): Command =>
  withExamples(
    new Command('worker')
      .description('take chunks of `tollama batch` from a shared queue, until it is stopped')
      .requiredOption('--queue <url>', 'redis://host:port, as the batch has it')
      .option('--base-url <url>', 'address of the daemon that has the models with weights')
      .option('-q, --quiet', 'no progress')
      .action(work),
    [
      'tollama worker --queue redis://10.0.0.5:6379',
      'tollama worker --queue redis://10.0.0.5:6379 --base-url http://gpu-1:11435',
    ],
  );
