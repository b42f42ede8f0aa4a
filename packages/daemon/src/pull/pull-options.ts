/** What a pull goes by: the request over the environment over config.json over the default. */

import { ModelFacts } from '@tollama/core/model-facts';
import { ModelReference } from '@tollama/core/model-reference';
import type { Settings } from '@tollama/core/settings';
import { z } from 'zod';
import type { ConfigFile } from '../config-file.ts';
import type { Supervisor } from '../runner/supervisor.ts';
import { hubCacheDir } from './hub-cache.ts';
import { pullDefaults } from './pull-defaults.ts';
import type { PullContext, PullOptions } from './pull-model.ts';

const Flag = z.boolean().nullish();
const Text = z.string().nullish();

/** Fields that are not known are ignored here, as the contract says. */
export const PullBody = z.object({
  model: ModelReference,
  name: Text,
  stream: z.boolean().default(true),
  accept_license: z.boolean().default(false),
  insecure: Flag,
  offline: Flag,
  local_files_only: Flag,
  http_proxy: Text,
  https_proxy: Text,
  no_proxy: Text,
  hf_home: Text,
  token: Text,
  max_workers: z.int().positive().nullish(),
});
export type PullBody = z.infer<typeof PullBody>;

/** What decides how a pull goes; whether it is streamed does not. */
export type PullFields = Omit<PullBody, 'stream'>;

const INSPECT_TIMEOUT_MS = 60_000;

/** Where the defaults of a pull come from. */
interface PullSources {
  readonly settings: Settings;
  readonly config: ConfigFile;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Request over environment over config over default; an explicit null clears. */
export const pullOptions = async (
  body: PullFields,
  { settings, config, env }: PullSources,
  signal: AbortSignal,
): Promise<PullOptions> => {
  const defaults = pullDefaults(env, await config.require());
  const token = body.token === undefined ? settings.hubToken : (body.token ?? undefined);
  const hfHome = body.hf_home === undefined ? defaults.hf_home.value : body.hf_home;
  const isOffline = body.offline ?? defaults.offline.value;
  const proxy = (name: 'http_proxy' | 'https_proxy' | 'no_proxy'): string | undefined =>
    (body[name] === undefined ? defaults[name].value : body[name]) || undefined;
  const network = {
    httpProxy: proxy('http_proxy'),
    httpsProxy: proxy('https_proxy'),
    noProxy: proxy('no_proxy'),
    insecure: body.insecure ?? defaults.insecure.value,
  };
  return {
    acceptLicense: body.accept_license,
    name: body.name ?? undefined,
    hub: { endpoint: settings.hubEndpoint, token, signal, network, stallMs: settings.pullStallMs },
    cacheDir: hubCacheDir(env, hfHome),
    maxWorkers: body.max_workers ?? defaults.max_workers.value,
    partBytes: settings.pullPartBytes,
    isOffline:
      isOffline ||
      (body.local_files_only ?? (body.offline === undefined && defaults.local_files_only.value)),
  };
};

/** The parts of a daemon that a pull needs. */
export type PullParts = Pick<PullContext, 'home' | 'store' | 'registry'> & {
  readonly supervisor: Supervisor;
};

export const pullContext = ({ home, store, registry, supervisor }: PullParts): PullContext => ({
  home,
  store,
  registry,
  now: () => new Date(),
  inspect: async (model, folder) => {
    const params = { model, model_local_dir: folder };
    const answer = await supervisor.callAlone('capabilities', params, {
      timeoutMs: INSPECT_TIMEOUT_MS,
    });
    return ModelFacts.parse(answer);
  },
});
