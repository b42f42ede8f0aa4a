/** Which settings may change while the gateway runs. */
import type { GatewaySettings } from './schema.ts';

/** Paths that are bound when the gateway starts. */
const FIXED: readonly (readonly string[])[] = [
  ['environment'],
  ['tsfm', 'compatibility'],
  ['tsfm', 'rollout_stage'],
  ['tsfm', 'cache', 'l2'],
  ['tsfm', 'sink'],
  ['tsfm', 'tracing'],
  ['api', 'host'],
  ['api', 'port'],
  ['api', 'token_env_var'],
];

const at = (settings: GatewaySettings, path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (found, key) => (found as Record<string, unknown> | undefined)?.[key],
    settings,
  );

const replaced = (value: unknown, path: readonly string[], by: unknown): unknown => {
  const [key, ...rest] = path;
  if (key === undefined) return by;
  const below = value as Record<string, unknown>;
  return { ...below, [key]: replaced(below[key], rest, by) };
};

export interface Reloaded {
  readonly settings: GatewaySettings;
  /** Settings whose change waits for a restart. */
  readonly needRestart: readonly string[];
}

/** The new settings, with those that are fixed as they were. */
export const reloaded = (current: GatewaySettings, next: GatewaySettings): Reloaded => {
  const changed = FIXED.filter(
    (path) => JSON.stringify(at(current, path)) !== JSON.stringify(at(next, path)),
  );
  const settings = changed.reduce(
    (kept, path) => replaced(kept, path, at(current, path)) as GatewaySettings,
    next,
  );
  return { settings, needRestart: changed.map((path) => path.join('.')) };
};
