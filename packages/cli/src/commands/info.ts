import { stat } from 'node:fs/promises';
import { arch, availableParallelism, platform, totalmem } from 'node:os';
import { TollamaError } from '@tollama/core/errors';
import { redact } from '@tollama/core/redaction';
import { readSettings } from '@tollama/core/settings';
import { VERSION } from '@tollama/core/version';
import { Command } from 'commander';
import { configPath, readConfigFile } from '../config/config-file.ts';
import { connect } from '../daemon/connect.ts';
import { humanBytes } from '../terminal/human.ts';
import { printJson } from '../terminal/json.ts';
import { positiveNumber, withExamples } from './options.ts';

interface InfoOptions {
  readonly baseUrl?: string;
  readonly timeout: number;
  readonly json?: boolean;
  readonly verbose?: boolean;
  readonly local?: boolean;
  readonly remote?: boolean;
}

/** What can be said without a daemon. */
const localFacts = async () => {
  const { home, host, port } = readSettings(process.env);
  const path = configPath();
  return {
    source: 'local',
    version: VERSION,
    node: process.version,
    platform: `${platform()} ${arch()}`,
    processors: availableParallelism(),
    memory_bytes: totalmem(),
    address: `${host}:${port}`,
    paths: {
      tollama_home: home,
      config_path: path,
      config_exists: await stat(path).then(
        () => true,
        () => false,
      ),
    },
    config: redact((await readConfigFile(path).catch(() => undefined)) ?? null),
  };
};

interface RemoteInfo {
  readonly daemon?: {
    readonly version: string;
    readonly uptime_seconds: number;
    readonly host_binding: string;
  };
  readonly paths?: { readonly tollama_home: string };
  readonly models?: {
    readonly installed: readonly unknown[];
    readonly loaded: readonly { readonly name: string }[];
  };
  readonly runners?: readonly {
    readonly family: string;
    readonly running: boolean;
    readonly pid: number | null;
    readonly restarts: number;
  }[];
}

const printRemote = ({ daemon, paths, models, runners = [] }: RemoteInfo): void => {
  const running = runners.filter((runner) => runner.running);
  const lines = [
    ['daemon', `${daemon?.version} at ${daemon?.host_binding}, up ${daemon?.uptime_seconds} s`],
    ['state', paths?.tollama_home],
    ['installed', `${models?.installed.length} models`],
    ['loaded', models?.loaded.map(({ name }) => name).join(', ') || 'none'],
    [
      'runners',
      running
        .map(({ family, pid, restarts }) => `${family} (pid ${pid}, ${restarts} restarts)`)
        .join(', ') || 'none running',
    ],
  ];
  for (const [name, value] of lines) console.log(`${name!.padEnd(12)}${value}`);
};

const info = async (options: InfoOptions): Promise<void> => {
  if (options.local && options.remote) {
    throw new TollamaError('INVALID_REQUEST', '--local and --remote exclude each other', {
      hint: 'give one of them',
    });
  }
  const client = connect({ baseUrl: options.baseUrl, timeout: options.timeout });
  if (!options.local && (options.remote || (await client.isHealthy()))) {
    const answer = await client.info();
    if (options.json || options.verbose) return printJson(answer);
    return printRemote(answer as RemoteInfo);
  }
  const facts = await localFacts();
  if (options.json || options.verbose) return printJson(facts);
  console.log(`no daemon at ${client.baseUrl}; what is known here:`);
  console.log(`${'version'.padEnd(12)}${facts.version}, Node ${facts.node}, ${facts.platform}`);
  console.log(
    `${'machine'.padEnd(12)}${facts.processors} processors, ${humanBytes(facts.memory_bytes)}`,
  );
  console.log(`${'state'.padEnd(12)}${facts.paths.tollama_home}`);
};

export const infoCommand = (): Command =>
  withExamples(
    new Command('info')
      .description('how the daemon is set up and what it does; without one, what is known here')
      .option('--base-url <url>', 'address of the daemon')
      .option('--timeout <seconds>', 'time to wait for it', positiveNumber, 2)
      .option('--json', 'print JSON')
      .option('--verbose', 'everything')
      .option('--local', 'do not ask a daemon')
      .option('--remote', 'only ask the daemon')
      .action(info),
    ['tollama info', 'tollama info --json'],
  );
