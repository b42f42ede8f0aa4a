import { setFlagsFromString } from 'node:v8';
import { errorMessage } from '@tollama/core/errors';
import { parseLogLevel } from '@tollama/core/log-level';
import { ENVIRONMENT } from '@tollama/core/settings';
import { Command, InvalidArgumentError } from 'commander';
import { positiveNumber, withExamples } from './options.ts';

interface ServeOptions {
  readonly host?: string;
  readonly port?: number;
  readonly grpcPort?: number;
  readonly logLevel?: string;
  readonly exitWhenIdle?: number;
  readonly warm?: string[];
}

const port = (text: string): number => {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 0 && number < 65_536) return number;
  throw new InvalidArgumentError('use a port between 0 and 65535.');
};

const logLevel = (text: string): string => {
  try {
    return parseLogLevel(text, 'the word');
  } catch (error) {
    const hint = (error as { hint?: string }).hint ?? errorMessage(error);
    throw new InvalidArgumentError(`${hint}.`);
  }
};

const serve = async (options: ServeOptions): Promise<void> => {
  // As in the daemon's own program: a small nursery, set before it has grown.
  setFlagsFromString('--max-semi-space-size=8');
  const { runDaemon } = await import('@tollama/daemon/run');
  const { exitWhenIdle, warm, ...overrides } = options;
  const idleExitMs = exitWhenIdle === undefined ? undefined : exitWhenIdle * 1000;
  await runDaemon(overrides, { idleExitMs, warm });
};

const environment = Object.entries(ENVIRONMENT).map(
  ([name, [meaning, fallback]]) => `${name.padEnd(34)}${meaning} (${fallback})`,
);

export const serveCommand = (): Command =>
  withExamples(
    new Command('serve')
      .alias('start')
      .description('run the daemon')
      .option('--host <host>', 'address to bind')
      .option('--port <port>', 'port to bind; 0 takes a free one', port)
      .option('--grpc-port <port>', 'port of the Open Inference Protocol over gRPC', port)
      .option('--log-level <level>', 'trace, debug, info, warn, error or silent', logLevel)
      .option(
        '--exit-when-idle <seconds>',
        'end when nobody asked anything for that long',
        positiveNumber,
      )
      .option(
        '--warm <families...>',
        'start the runners of these families at once, not at their first forecast',
      )
      .action(serve),
    ['tollama serve', 'tollama serve --port 8080 --log-level debug'],
    environment,
  );
