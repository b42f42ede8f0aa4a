/**
 * Settings of the environment: TSFM_<BLOCK>__<KEY> for any key of `tsfm` (TSFM_CACHE__TTL_S=30,
 * TSFM_COMPATIBILITY=hardened), and the TOLLAMA_* variables of the upstream.
 */
import { parse } from 'yaml';
import type { Layer } from './profiles.ts';
import { TsfmSettings } from './schema.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const UPSTREAM: Readonly<Record<string, readonly string[]>> = {
  TOLLAMA_BASE_URL: ['base_url'],
  TOLLAMA_ENDPOINT: ['endpoint'],
  TOLLAMA_TOKEN: ['token'],
  TOLLAMA_TIMEOUT_S: ['timeout_s', 'read_timeout_s'],
  TOLLAMA_RETRY_COUNT: ['retry_count'],
};

const PREFIX = 'TSFM_';

/** What the environment sets of `tsfm`; names that belong to no setting are left alone. */
export const environmentLayer = (env: Environment): Layer => {
  const layer: Record<string, unknown> = {};
  const adapter: Record<string, unknown> = {};
  for (const [name, keys] of Object.entries(UPSTREAM)) {
    for (const key of keys) if (env[name]) adapter[key] = env[name];
  }
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(PREFIX) || value === undefined || value === '') continue;
    const [block = '', key, ...rest] = name.slice(PREFIX.length).toLowerCase().split('__');
    if (!Object.hasOwn(TsfmSettings.shape, block) || rest.length > 1) continue;
    if (key === undefined) layer[block] = parse(value);
    else {
      const inner = rest[0] === undefined ? parse(value) : { [rest[0]]: parse(value) };
      layer[block] = { ...(layer[block] as Layer | undefined), [key]: inner };
    }
  }
  return Object.keys(adapter).length === 0
    ? layer
    : { ...layer, adapter: { ...adapter, ...(layer.adapter as Layer | undefined) } };
};
