/** What the daemon is and how it is set up: `/api/info`, readiness, capabilities, metrics. */
import { statfs } from 'node:fs/promises';
import { NO_COVARIATES } from '@tollama/core/capabilities';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { withoutLatest } from '@tollama/core/model-name';
import { redact } from '@tollama/core/redaction';
import { tokensPresent } from '@tollama/core/settings';
import { isEmbeddedName, STATISTICAL_FAMILY } from '@tollama/core/statistical';
import { VERSION } from '@tollama/core/version';
import { Hono } from 'hono';
import type { DaemonContext } from '../context.ts';
import { pullDefaults } from '../pull/pull-defaults.ts';

const SHOWN_VARIABLES = [
  'TOLLAMA_HOME',
  'TOLLAMA_HOST',
  'TOLLAMA_FORECAST_TIMEOUT_SECONDS',
  'TOLLAMA_ALLOW_REMOTE_DATA_URL',
  'HF_HOME',
  'HF_HUB_OFFLINE',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
] as const;

const MIN_FREE_BYTES = 100 * 1024 * 1024;

const diskHealth = async (path: string) => {
  const started = performance.now();
  const latency = (): number => Math.round((performance.now() - started) * 1000) / 1000;
  try {
    const { bavail, bsize } = await statfs(path);
    const free = bavail * bsize;
    return {
      healthy: free >= MIN_FREE_BYTES,
      latency_ms: latency(),
      error: null,
      path,
      free_bytes: free,
    };
  } catch (error) {
    return {
      healthy: false,
      latency_ms: latency(),
      error: errorMessage(error),
      path,
      free_bytes: 0,
    };
  }
};

const readiness = async ({ supervisor, home, registry }: DaemonContext) => {
  const families = new Set((await registry.entries()).map(({ family }) => family));
  const statuses = supervisor.statuses(families);
  const runner_manager = {
    healthy: true,
    latency_ms: 0,
    error: null,
    configured_runners: statuses.length,
    running_runners: statuses.filter(({ running }) => running).length,
    restart_total: supervisor.restartTotal,
  };
  const disk = await diskHealth(home.path);
  const healthy = disk.healthy;
  return { status: healthy ? 'ok' : 'degraded', healthy, runner_manager, disk, connectors: null };
};

/** Everything of `/api/info`; a broken config is told, not thrown. */
export const daemonInfo = async (context: DaemonContext) => {
  const { settings, env, home, config, store, registry, supervisor, loaded, startedAt } = context;
  const state = await config.read();
  const installed = await store.list();
  const entries = await registry.entries();
  const shown = Object.fromEntries(SHOWN_VARIABLES.map((name) => [name, env[name] ?? null]));
  return {
    daemon: {
      version: VERSION,
      started_at: startedAt.toISOString(),
      uptime_seconds: Math.floor((Date.now() - startedAt.getTime()) / 1000),
      host_binding: `${settings.host}:${settings.port}`,
    },
    paths: { tollama_home: home.path, config_path: home.config, config_exists: state.exists },
    config: state.error === undefined ? redact(state.raw) : { error: state.error },
    env: redact({ ...shown, ...tokensPresent(env) }),
    pull_defaults: redact(pullDefaults(env, state.config)),
    models: {
      installed: installed.map((manifest) => ({
        name: manifest.name,
        family: manifest.family,
        digest: manifest.resolved?.commit_sha ?? null,
        size: manifest.size_bytes,
        modified_at: manifest.installed_at,
        capabilities: manifest.capabilities ?? NO_COVARIATES,
      })),
      loaded: loaded.list().map(({ name, family, expiresAt }) => ({
        name,
        model: name,
        family,
        expires_at: expiresAt === null ? null : new Date(expiresAt).toISOString(),
      })),
      available: entries.map(({ name, family, source, capabilities }) => ({
        name,
        family,
        source,
        capabilities,
      })),
    },
    runners: supervisor.statuses(new Set([...entries, ...installed].map(({ family }) => family))),
  };
};

const LIMITS = [
  'max_horizon',
  'prediction_length',
  'max_context',
  'context_length',
  'input_series_limit',
];

/** What one model can do, by its manifest or registry entry; no runner is asked. */
const modelCapabilities = async (asked: string, { store, registry, supervisor }: DaemonContext) => {
  const name = withoutLatest(asked);
  const known = (await store.find(name)) ?? (await registry.find(name));
  const family = known?.family ?? (isEmbeddedName(name) ? STATISTICAL_FAMILY : undefined);
  if (family === undefined) {
    throw new TollamaError('MODEL_NOT_FOUND', `model '${name}' is not known`, {
      hint: '`tollama list --available` shows all',
    });
  }
  const metadata = known?.metadata ?? {};
  return {
    model: name,
    family,
    capabilities: known?.capabilities ?? NO_COVARIATES,
    limits: Object.fromEntries(Object.entries(metadata).filter(([key]) => LIMITS.includes(key))),
    metadata,
    runtime: { ready: metadata.forecast_ready !== false, running: supervisor.isRunning(family) },
  };
};

export const infoRoutes = (context: DaemonContext): Hono =>
  new Hono()
    .get('/health/ready', async (c) => c.json(await readiness(context)))
    .get('/api/info', async (c) => c.json(await daemonInfo(context)))
    .get('/v1/models/:name/capabilities', async (c) =>
      c.json(await modelCapabilities(c.req.param('name'), context)),
    )
    .get('/metrics', async (c) =>
      c.text(await context.metrics.text(), 200, { 'content-type': context.metrics.contentType }),
    );
