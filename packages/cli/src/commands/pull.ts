import { resolve } from 'node:path';
import type { PullBody, StreamEvent, TollamaClient } from '@tollama/client';
import { Command } from 'commander';
import { connectOrStart } from '../daemon/connect.ts';
import { interruptSignal } from '../terminal/interrupt.ts';
import { printJson } from '../terminal/json.ts';
import { createProgress, type Progress, type ProgressMode } from '../terminal/progress.ts';
import {
  type CommonOptions,
  positiveInteger,
  progressMode,
  withCommonOptions,
  withExamples,
} from './options.ts';

interface PullOptions extends CommonOptions {
  readonly name?: string;
  readonly acceptLicense?: boolean;
  readonly insecure?: boolean;
  readonly offline?: boolean;
  readonly localFilesOnly?: boolean;
  readonly httpProxy?: string;
  readonly httpsProxy?: string;
  readonly noProxy?: string;
  readonly hfHome?: string;
  readonly token?: string;
  readonly maxWorkers?: number;
  readonly progress: ProgressMode;
}

/** A path becomes absolute: the daemon has a working folder of its own. */
const absolute = (model: string): string =>
  /^(\.{0,2}\/|\.{1,2}$|~\/)/.test(model) ? resolve(model) : model;

const bodyOf = (model: string, o: PullOptions): PullBody => {
  const fields = {
    model: absolute(model),
    name: o.name,
    accept_license: o.acceptLicense,
    insecure: o.insecure,
    offline: o.offline,
    local_files_only: o.localFilesOnly,
    http_proxy: o.httpProxy,
    https_proxy: o.httpsProxy,
    no_proxy: o.noProxy,
    hf_home: o.hfHome,
    token: o.token,
    max_workers: o.maxWorkers,
  };
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as unknown as PullBody;
};

/** Shows a pull as it goes and gives its last event. */
export const showPull = async (
  client: TollamaClient,
  body: PullBody,
  progress: Progress,
  signal?: AbortSignal,
): Promise<StreamEvent> => {
  let last: StreamEvent = {};
  try {
    for await (const event of client.pull(body, signal && { signal })) {
      last = event;
      if (event.status === 'downloading') {
        const { files_completed: done, files_total: total } = event as unknown as {
          files_completed: number;
          files_total: number;
        };
        progress.bytes(
          `pulling ${done}/${total} files`,
          Number(event.completed_bytes),
          Number(event.total_bytes),
        );
      } else if (event.status === 'warning') {
        progress.status(`warning: ${String(event.message)}`);
      } else if (event.status && event.status !== 'success') {
        progress.status(
          event.digest ? `${event.status} ${String(event.digest).slice(0, 12)}` : event.status,
        );
      }
    }
  } finally {
    progress.stop();
  }
  return last;
};

const pull = async (model: string, options: PullOptions): Promise<void> => {
  const progress = createProgress(options.progress, options.quiet);
  const signal = interruptSignal();
  const client = await connectOrStart(options, progress);
  const last = await showPull(client, bodyOf(model, options), progress, signal);
  if (options.json || !process.stdout.isTTY) printJson(last);
  else
    console.log(
      `pulled '${String(last.model)}'; try: tollama run ${String(last.model)} --input data.csv --horizon 24`,
    );
};

export const pullCommand = (): Command =>
  withExamples(
    withCommonOptions(
      new Command('pull')
        .description(
          'install a model: a name of the registry, owner/name[@revision] of the hub, or a folder',
        )
        .argument('<model>')
        .option('--name <name>', 'install under this name')
        .option('--accept-license', 'accept the licence of a model that asks for it')
        .option('--no-stream', 'print only the result')
        .option('--offline', 'use only what the local cache holds')
        .option('--no-offline', 'ask the hub even where the configuration says offline')
        .option('--local-files-only', 'the same for this pull alone')
        .option('--no-local-files-only')
        .option('--insecure', 'do not check certificates')
        .option('--no-insecure')
        .option('--http-proxy <url>')
        .option('--https-proxy <url>')
        .option('--no-proxy <hosts>', 'hosts that are reached without a proxy')
        .option('--hf-home <folder>', 'cache of the hub')
        .option('--token <token>', 'token of the hub')
        .option('--max-workers <n>', 'files fetched at the same time', positiveInteger)
        .option('--progress <mode>', 'auto, on or off', progressMode, 'auto'),
    ).action(pull),
    [
      'tollama pull chronos-bolt-small',
      'tollama pull amazon/chronos-bolt-base@main',
      'tollama pull ./my-checkpoint --name mine',
    ],
    ['HF_ENDPOINT, TOLLAMA_HF_TOKEN, HF_HOME, HF_HUB_OFFLINE, HTTPS_PROXY, NO_PROXY'],
  );
