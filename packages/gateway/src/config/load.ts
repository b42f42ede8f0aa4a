/**
 * The configuration: files of the original's shape (`tsfm:` and `api:` blocks), one of which may hold
 * `environments:` with what differs in dev, staging and prod. Layers, each over the one before: class
 * defaults, compatibility, the guide's profile of the environment, the file, its environment, variables.
 */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { redact } from '@tollama/core/redaction';
import { parse } from 'yaml';
import type { z } from 'zod';
import { withoutAliases } from './aliases.ts';
import { type Environment, environmentLayer } from './environment-overrides.ts';
import { COMPATIBILITY, type Layer, mergeLayers, PROFILES } from './profiles.ts';
import { ApiSettings, type GatewaySettings, TsfmSettings } from './schema.ts';
import { unknownKeys } from './unknown-keys.ts';

export interface LoadedSettings {
  readonly settings: GatewaySettings;
  readonly warnings: readonly string[];
  /** Files that were read. */
  readonly files: readonly string[];
}

/** Names that are looked for in a folder, here and in `configs`. */
const NAMES = ['default.yaml', 'tsfm_runtime.yaml'] as const;

const block = (value: unknown, where: string): Layer => {
  if (value === undefined || value === null) return {};
  if (typeof value === 'object' && !Array.isArray(value)) return value as Layer;
  throw new TollamaError('CONFIG_INVALID', `${where} is not a block of settings`, {
    hint: 'write `key: value` lines below it',
  });
};

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );

/** The files of a folder, or the file itself. Throws CONFIG_INVALID when there is none. */
const filesAt = async (path: string): Promise<string[]> => {
  if (await isFile(path)) return [path];
  const found: string[] = [];
  for (const name of NAMES) if (await isFile(join(path, name))) found.push(join(path, name));
  if (found.length > 0) return found;
  throw new TollamaError('CONFIG_INVALID', `no configuration at ${path}`, {
    hint: `give a YAML file, or a folder that holds ${NAMES.join(' or ')}`,
  });
};

const readLayer = async (path: string): Promise<Layer> => {
  try {
    return block(parse(await readFile(path, 'utf8')), path);
  } catch (cause) {
    throw new TollamaError('CONFIG_INVALID', `${path} cannot be read: ${errorMessage(cause)}`, {
      cause,
    });
  }
};

/** A value as it may be told: without tokens, and without the logins of addresses. */
const shown = (value: unknown, path: string): string =>
  (JSON.stringify(redact(value, path)) ?? 'undefined').replaceAll(/\/\/[^@/"]*@/g, '//***@');

const parsed = <T>(schema: z.ZodType<T>, layer: Layer, at: string): T => {
  const result = schema.safeParse(layer);
  if (result.success) return result.data;
  const first = result.error.issues[0]!;
  const value = first.path.reduce<unknown>(
    (found, key) => (found as Record<PropertyKey, unknown> | undefined)?.[key],
    layer,
  );
  const path = [at, ...first.path].join('.');
  throw new TollamaError(
    'CONFIG_INVALID',
    `${path}=${shown(value, path)} is not valid: ${first.message}`,
    { hint: 'correct the setting; docs/gateway.md lists them all' },
  );
};

/** Settings that contradict each other in a way that leaves nothing to answer with. */
const refuseContradictions = ({ interval_sanity, horizon_steps, limits }: TsfmSettings): void => {
  const { min_width, max_width } = interval_sanity;
  const found =
    min_width > max_width
      ? `tsfm.interval_sanity.min_width=${min_width} is above max_width=${max_width}`
      : horizon_steps > limits.max_horizon_steps
        ? `tsfm.horizon_steps=${horizon_steps} is above limits.max_horizon_steps=${limits.max_horizon_steps}`
        : undefined;
  if (found)
    throw new TollamaError('CONFIG_INVALID', found, { hint: 'lower it, or raise the limit' });
};

/** Settings that contradict each other, made to agree; each is named in a warning. */
const reconcile = (settings: TsfmSettings): readonly [TsfmSettings, string[]] => {
  const { half_open_probe_requests: probes, half_open_successes_to_close: needed } =
    settings.circuit_breaker;
  if (needed <= probes) return [settings, []];
  const warning = `tsfm.circuit_breaker.half_open_successes_to_close=${needed} can never be reached with ${probes} probes; ${probes} is used`;
  const circuit_breaker = { ...settings.circuit_breaker, half_open_successes_to_close: probes };
  return [{ ...settings, circuit_breaker }, [warning]];
};

const environmentOf = (file: Layer, env: Environment): string | undefined => {
  const chosen = env.TSFM_ENVIRONMENT || file.environment;
  return typeof chosen === 'string' && chosen !== '' ? chosen : undefined;
};

const environmentBlock = (file: Layer, name: string | undefined): Layer => {
  if (name === undefined) return {};
  const all = block(file.environments, 'environments');
  if (!Object.hasOwn(all, name) && !Object.hasOwn(PROFILES, name)) {
    const known = [...new Set([...Object.keys(PROFILES), ...Object.keys(all)])];
    throw new TollamaError('CONFIG_INVALID', `unknown environment '${name}'`, {
      hint: `use ${known.join(', ')}, or add it to environments: of the configuration`,
    });
  }
  return block(all[name], `environments.${name}`);
};

/** Settings from what the files say and the environment, taken at their word. */
export const settingsFrom = (file: Layer, env: Environment): Omit<LoadedSettings, 'files'> => {
  const environment = environmentOf(file, env);
  const own = environmentBlock(file, environment);
  // An environment holds settings of `tsfm` directly, or blocks `tsfm:` and `api:`.
  const ownTsfm = 'tsfm' in own || 'api' in own ? block(own.tsfm, 'tsfm') : own;
  const written = mergeLayers(
    withoutAliases(block(file.tsfm, 'tsfm')),
    withoutAliases(ownTsfm),
    withoutAliases(environmentLayer(env)),
  );
  const profile = environment === undefined ? {} : (PROFILES[environment] ?? {});
  const above = mergeLayers(profile, written);
  const compatibility = above.compatibility === 'hardened' ? 'hardened' : 'original';
  const tsfm = parsed(TsfmSettings, mergeLayers(COMPATIBILITY[compatibility], above), 'tsfm');
  refuseContradictions(tsfm);
  const apiLayer = mergeLayers(
    block(block(file.api, 'api').tsfm_forecast, 'api.tsfm_forecast'),
    block(block(own.api, 'api').tsfm_forecast, 'api.tsfm_forecast'),
  );
  const api = parsed(ApiSettings, apiLayer, 'api.tsfm_forecast');
  return {
    settings: { environment, tsfm, api },
    warnings: [
      ...unknownKeys(written, TsfmSettings, 'tsfm'),
      ...unknownKeys(apiLayer, ApiSettings, 'api.tsfm_forecast'),
    ],
  };
};

/** Where a configuration is looked for when none is named. */
const DEFAULT_PLACES = ['configs', '.'] as const;

/** Without any file the gateway stands before a daemon of ours on the same machine. */
const WITHOUT_FILES: Layer = { environment: 'dev' };

/**
 * Reads the configuration. `paths` are files or folders; without any, `configs` and the working folder are
 * looked into, and without files there it is that of the environment dev.
 */
export const loadSettings = async (
  paths: readonly string[],
  env: Environment,
): Promise<LoadedSettings> => {
  const files =
    paths.length > 0
      ? (await Promise.all(paths.map(filesAt))).flat()
      : await filesAt(DEFAULT_PLACES[0])
          .catch(() => filesAt(DEFAULT_PLACES[1]))
          .catch(() => []);
  const layers = await Promise.all(files.map(readLayer));
  const written = files.length > 0 ? mergeLayers(...layers) : WITHOUT_FILES;
  const { settings, warnings } = settingsFrom(written, env);
  const [tsfm, contradictions] = reconcile(settings.tsfm);
  return { settings: { ...settings, tsfm }, warnings: [...warnings, ...contradictions], files };
};
