/** The gateway as a service: configuration, socket, hot reload, warm-up, graceful end. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { openTracer } from '@tollama/telemetry';
import { openRedisTier } from './cache/redis-tier.ts';
import type { Environment } from './config/environment-overrides.ts';
import { type LoadedSettings, loadSettings } from './config/load.ts';
import { reloaded } from './config/reload.ts';
import type { GatewaySettings } from './config/schema.ts';
import { FileWatch } from './config/watch-files.ts';
import { readConformalState } from './conformal/state.ts';
import { Gateway } from './gateway.ts';
import { createApp } from './http/app.ts';
import { Desk } from './http/desk.ts';
import { createLogger, type Logger } from './observe/log.ts';
import { LICENCE_REGISTRY, readRegistry } from './registry/model-registry.ts';
import { systemClock } from './resilience/clock.ts';
import { PooledPost, TollamaUpstream } from './upstream/tollama-upstream.ts';
import { askHealth, Warmup } from './warmup/warmup.ts';

export interface ServeOptions {
  /** Files or folders; by default `configs` and the working folder. */
  readonly config?: readonly string[];
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly environment?: string | undefined;
  readonly logLevel?: string | undefined;
}

export interface RunningGateway extends AsyncDisposable {
  readonly url: string;
  readonly gateway: Gateway;
  /** Reads the configuration again, as a change of its files does. */
  reload(): Promise<void>;
}

const LOOK_EVERY_MS = 1000;
const HEALTH_TIMEOUT_MS = 1000;
/** Longer than the pools of clients keep idle connections. */
const KEEP_ALIVE_MS = 75_000;

const readConformal = (settings: GatewaySettings, log: Logger) =>
  readConformalState(settings.tsfm.conformal.state_path, (error) =>
    log.warn({ reason: errorMessage(error) }, 'the conformal state is broken and not used'),
  );

const readModels = ({ tsfm }: GatewaySettings) =>
  tsfm.registry.path ? readRegistry(tsfm.registry.path) : Promise.resolve(LICENCE_REGISTRY);

const listen = (desk: Desk, host: string, port: number): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = serve({ fetch: createApp(desk).fetch, hostname: host, port }, () =>
      resolve(server as Server),
    ) as Server;
    server.keepAliveTimeout = KEEP_ALIVE_MS;
    server.headersTimeout = KEEP_ALIVE_MS + 1000;
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'the address is in use' : cause.message;
      reject(
        new TollamaError('CONFIG_INVALID', `cannot listen on ${host}:${port}: ${why}`, {
          hint: 'choose another port with --port',
          cause,
        }),
      );
    });
  });

interface Assembled extends AsyncDisposable {
  readonly gateway: Gateway;
}

/** The gateway with its pool and its shared cache. */
const assemble = async (
  settings: GatewaySettings,
  log: Logger,
  env: Environment,
): Promise<Assembled> => {
  const { l2 } = settings.tsfm.cache;
  const shared = l2
    ? await openRedisTier({ url: l2.url, prefix: l2.prefix, timeoutMs: l2.timeout_ms }, (reason) =>
        log.warn({ reason }, 'the shared cache is not there; answers are kept in memory'),
      )
    : undefined;
  let pool: PooledPost | undefined;
  const gateway = new Gateway({
    settings,
    log,
    shared,
    conformal: await readConformal(settings, log),
    registry: await readModels(settings),
    tracer: await openTracer('tollama-gateway', env, settings.tsfm.tracing.endpoint ?? undefined),
    upstream: (current) => {
      const adapter = () => current().tsfm.adapter;
      pool = new PooledPost(adapter);
      const { post } = pool;
      return new TollamaUpstream({
        settings: adapter,
        clock: systemClock,
        random: Math.random,
        post,
      });
    },
  });
  return {
    gateway,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      pool?.[Symbol.dispose]();
    },
  };
};

/** Waits for requests under way, not longer than asked. */
const drain = async (server: Server, seconds: number): Promise<void> => {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, seconds * 1000);
  });
  await Promise.race([closed, late]);
  clearTimeout(timer);
  server.closeAllConnections();
  await closed;
};

const withOptions = (env: Environment, { environment }: ServeOptions): Environment =>
  environment === undefined ? env : { ...env, TSFM_ENVIRONMENT: environment };

/** Takes up the configuration anew; one that is not valid is told of and not used. */
const reloader =
  (desk: Desk, { config = [] }: ServeOptions, env: Environment) =>
  async (): Promise<void> => {
    const { gateway } = desk;
    const { log } = gateway;
    try {
      const next = await loadSettings(config, env);
      const { settings, needRestart } = reloaded(gateway.settings, next.settings);
      for (const warning of next.warnings) log.warn(warning);
      if (needRestart.length > 0) log.warn({ needRestart }, 'these settings need a restart');
      const registry = await readModels(settings);
      gateway.useSettings(settings);
      gateway.useRegistry(registry);
      gateway.useConformal(await readConformal(settings, log));
      desk.forget();
      log.info('the configuration was read again');
    } catch (error) {
      log.error({ reason: errorMessage(error) }, 'the new configuration is not used');
    }
  };

/** Files whose change is taken up. */
const watchedFiles = ({ settings, files }: LoadedSettings): readonly string[] => {
  const { conformal, registry } = settings.tsfm;
  return [...files, conformal.state_path, ...(registry.path ? [registry.path] : [])];
};

/**
 * Starts a gateway. Disposing it stops accepting, lets requests under way end, and closes its connections.
 *
 * @throws TollamaError CONFIG_INVALID for a broken configuration or an address that cannot be bound
 */
export const startGateway = async (
  options: ServeOptions,
  env: Environment,
): Promise<RunningGateway> => {
  const variables = withOptions(env, options);
  const loaded = await loadSettings(options.config ?? [], variables);
  const { settings } = loaded;
  const log = createLogger(options.logLevel ?? 'info');
  for (const warning of loaded.warnings) log.warn(warning);
  const assembled = await assemble(settings, log, variables);
  const { gateway } = assembled;
  const desk = new Desk(gateway, env[settings.api.token_env_var]);
  const host = options.host ?? settings.api.host;
  const server = await listen(desk, host, options.port ?? settings.api.port).catch(
    async (error: unknown) => {
      await assembled[Symbol.asyncDispose]();
      throw error;
    },
  );
  const { address, port, family } = server.address() as AddressInfo;
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;

  const reload = reloader(desk, options, variables);
  const watch = new FileWatch(watchedFiles(loaded), LOOK_EVERY_MS, reload);
  const warmup = new Warmup({ gateway, isHealthy: (at) => askHealth(at, HEALTH_TIMEOUT_MS) });
  warmup.start();
  log.info({ url, environment: settings.environment ?? 'none' }, 'tollama gateway is listening');
  return {
    url,
    gateway,
    reload,
    async [Symbol.asyncDispose]() {
      gateway.isDraining = true;
      watch[Symbol.dispose]();
      warmup[Symbol.dispose]();
      await drain(server, settings.api.drain_s);
      await assembled[Symbol.asyncDispose]();
    },
  };
};
