import { Command, InvalidArgumentError } from 'commander';
import { interruptSignal } from '../terminal/interrupt.ts';
import { commaSeparated, withExamples } from './options.ts';

interface McpOptions {
  readonly http?: boolean;
  readonly host: string;
  readonly port: number;
  readonly allowHost?: readonly string[];
  readonly data?: string;
  readonly baseUrl?: string;
}

const DEFAULT_PORT = 11436;

const port = (text: string): number => {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 0 && number < 65_536) return number;
  throw new InvalidArgumentError('use a port between 0 and 65535.');
};

const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|::1)$/;

const tell = (error: Error): void => {
  process.stderr.write(`${error.message}\n`);
};

const serve = async (options: McpOptions): Promise<void> => {
  const { baseUrl, data, host, port: wanted, allowHost = [] } = options;
  const [{ RunStore, serveOverHttp, serveOverStdio }, { daemonClient }, { datasetFolder }] =
    await Promise.all([
      import('@tollama/mcp'),
      import('../mcp/daemon-client.ts'),
      import('../mcp/dataset-folder.ts'),
    ]);
  const ownKey = process.env.TOLLAMA_API_KEY;
  const datasets = data === undefined ? undefined : await datasetFolder(data);
  const signal = interruptSignal();
  if (!options.http) {
    const context = { client: daemonClient(baseUrl, ownKey), runs: new RunStore(), datasets };
    return serveOverStdio(context, { signal, onError: tell });
  }
  // To other machines the key of this one is not lent: their callers bring their own.
  const lentKey = LOOPBACK.test(host) ? ownKey : undefined;
  await using server = await serveOverHttp({
    host,
    port: wanted,
    connect: (apiKey) => daemonClient(baseUrl, apiKey ?? lentKey),
    datasets,
    allowedHosts: allowHost,
    onError: tell,
  });
  console.log(`MCP server at ${server.url}`);
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
};

export const mcpCommand = (): Command =>
  withExamples(
    new Command('mcp')
      .description('serve forecasts to language models over the Model Context Protocol')
      .option('--http', 'serve Streamable HTTP at /mcp instead of stdin and stdout')
      .option('--host <host>', 'address to bind, with --http', '127.0.0.1')
      .option('--port <port>', 'port to bind, with --http; 0 takes a free one', port, DEFAULT_PORT)
      .option(
        '--allow-host <names>',
        'names in the Host header that are let in besides localhost, comma separated',
        commaSeparated,
      )
      .option('--data <folder>', 'offer the tables of a folder as datasets')
      .option('--base-url <url>', 'address of the daemon; without it one is started when none runs')
      .action(serve),
    ['tollama mcp', 'tollama mcp --data ./sales', 'tollama mcp --http --port 11436'],
    [
      'TOLLAMA_HOST                      address of the daemon',
      "TOLLAMA_API_KEY                   key for the daemon; over HTTP a caller's own Bearer token goes first",
    ],
  );
