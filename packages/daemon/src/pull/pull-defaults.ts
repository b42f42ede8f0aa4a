/** Defaults of a pull and where each comes from: environment over config.json over built in. */
import type { Config } from '@tollama/core/config';
import { tokensPresent } from '@tollama/core/settings';

type Environment = Readonly<Record<string, string | undefined>>;

export interface Sourced<T> {
  readonly value: T;
  readonly source: 'default' | 'env' | 'config' | 'env (offline)' | 'config (offline)';
}

export const DEFAULT_WORKERS = 8;

/** 1/true/yes/on and 0/false/no/off in any case; undefined for anything else. */
export const parseFlag = (text: string | undefined): boolean | undefined => {
  if (text === undefined) return undefined;
  if (/^(1|true|yes|on)$/i.test(text.trim())) return true;
  return /^(0|false|no|off)$/i.test(text.trim()) ? false : undefined;
};

const pick = <T>(
  env: T | null | undefined,
  config: T | null | undefined,
  fallback: T,
): Sourced<T> => {
  if (env !== undefined && env !== null) return { value: env, source: 'env' };
  if (config !== undefined && config !== null) return { value: config, source: 'config' };
  return { value: fallback, source: 'default' };
};

export interface PullDefaults {
  readonly offline: Sourced<boolean>;
  readonly local_files_only: Sourced<boolean>;
  readonly insecure: Sourced<boolean>;
  readonly hf_home: Sourced<string | null>;
  readonly http_proxy: Sourced<string | null>;
  readonly https_proxy: Sourced<string | null>;
  readonly no_proxy: Sourced<string | null>;
  readonly max_workers: Sourced<number>;
  readonly token_present: Sourced<boolean>;
}

export const pullDefaults = (env: Environment, { pull }: Config): PullDefaults => {
  const offline = pick(parseFlag(env.HF_HUB_OFFLINE), pull.offline, false);
  const localOnly = pick(undefined, pull.local_files_only, false);
  const isForced = offline.value && !localOnly.value;
  return {
    offline,
    local_files_only: isForced
      ? { value: true, source: offline.source === 'env' ? 'env (offline)' : 'config (offline)' }
      : localOnly,
    insecure: pick(undefined, pull.insecure, false),
    hf_home: pick<string | null>(env.HF_HOME, pull.hf_home, null),
    http_proxy: pick<string | null>(env.HTTP_PROXY ?? env.http_proxy, pull.http_proxy, null),
    https_proxy: pick<string | null>(env.HTTPS_PROXY ?? env.https_proxy, pull.https_proxy, null),
    no_proxy: pick<string | null>(env.NO_PROXY ?? env.no_proxy, pull.no_proxy, null),
    max_workers: pick(undefined, pull.max_workers, DEFAULT_WORKERS),
    token_present: {
      value: Object.values(tokensPresent(env)).some(Boolean),
      source: Object.values(tokensPresent(env)).some(Boolean) ? 'env' : 'default',
    },
  };
};
