/** The daemon: its parts, its socket, its end. */
import { access, constants, mkdir } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { errorMessage, homeNotWritable, TollamaError } from '@tollama/core/errors';
import { runtimesFolder } from '@tollama/core/runtime-choice';
import type { Settings } from '@tollama/core/settings';
import { timerMs } from '@tollama/core/timer';
import { openTracer } from '@tollama/telemetry';
import { Activity } from './activity.ts';
import { createApp } from './app.ts';
import { ConfigFile } from './config-file.ts';
import type { DaemonContext } from './context.ts';
import { drain } from './drain.ts';
import { EventBus } from './events/event-bus.ts';
import { Forecaster } from './forecast/forecaster.ts';
import { ModelProfiles } from './forecast/model-profile.ts';
import { LoadedModels } from './loaded/loaded-models.ts';
import { createLogger } from './log.ts';
import { createMetrics } from './observe/metrics.ts';
import type { Fetch, GrpcServer } from './open-inference/grpc/server.ts';
import { InferenceStatistics } from './open-inference/statistics.ts';
import { runnerCommands } from './runner/commands.ts';
import { Supervisor } from './runner/supervisor.ts';
import { type Home, openHome } from './store/home.ts';
import { claimHome } from './store/home-owner.ts';
import { ModelStore } from './store/model-store.ts';
import { ModelfileStore } from './store/modelfile-store.ts';
import { RegistryFile } from './store/registry-file.ts';
import { removeLeftovers } from './store/repair.ts';
import { jobPlace } from './timegpt/job-keeping.ts';
import { Jobs } from './timegpt/jobs.ts';
import { removeTemporaryModels } from './timegpt/temporary-models.ts';
import { TrainingJobs } from './training/training-jobs.ts';
import { trainingProgram } from './training/training-process.ts';
import { fineTuning } from './training/tune-model.ts';
import { UsageMeter } from './usage/usage-meter.ts';

export interface Daemon extends AsyncDisposable {
  readonly url: string;
  /** Where a gRPC port was asked for. */
  readonly grpcPort: number | undefined;
  readonly context: DaemonContext;
}

const UNLOAD_TIMEOUT_MS = 30_000;

/** Said when the daemon starts, and not in the middle of the first pull. */
const makeHome = async ({ path, models }: Home): Promise<void> => {
  try {
    await mkdir(models, { recursive: true });
    // Models may be mounted read-only.
    await access(path, constants.W_OK);
  } catch (cause) {
    throw homeNotWritable(path, cause);
  }
};

/** Puts the parts together; nothing listens yet. */
export const createContext = async (
  settings: Settings,
  env: DaemonContext['env'],
): Promise<DaemonContext> => {
  const home = openHome(settings.home);
  await makeHome(home);
  const log = createLogger(settings.logLevel);
  const claim = await claimHome(home);
  if (claim.other !== undefined)
    log.warn({ pid: claim.other, home: home.path }, 'another daemon works in this state folder');
  const leftovers = claim.other === undefined ? await removeLeftovers(home) : [];
  if (leftovers.length > 0) log.warn({ leftovers }, 'removed what a crash had left half written');
  const config = new ConfigFile(home.config);
  const { config: configured, error } = await config.read();
  if (error) log.warn({ error }, 'config.json is not valid; its settings are not used');
  const store = new ModelStore(home, log);
  const supervisor = new Supervisor({
    commandFor: runnerCommands(configured.daemon.runner_commands, runtimesFolder(home.path)),
    log,
    memoryLimitBytes: settings.runnerMemoryBytes,
  });
  const loaded = new LoadedModels({
    limits: { maxModels: settings.maxLoadedModels, memoryBytes: settings.memoryLimitBytes },
    unload: async ({ name, family }) => {
      if (!supervisor.isRunning(family)) return;
      await supervisor
        .call(family, 'unload', { model: name }, { timeoutMs: UNLOAD_TIMEOUT_MS })
        .catch(() => supervisor.stop(family));
      stopWhenUnused(family);
    },
  });
  /** A runner that holds no model costs memory for nothing. */
  const stopWhenUnused = (family: string): void => {
    const isUnused = (): boolean =>
      loaded.countOf(family) === 0 && supervisor.inFlight(family) === 0;
    const check = (): void => {
      if (isUnused()) void supervisor.stop(family);
    };
    if (isUnused()) setTimeout(check, timerMs(settings.runnerIdleMs)).unref();
  };
  supervisor.onExit((family) => loaded.forgetFamily(family));
  const activity = new Activity();
  const registry = new RegistryFile(settings.registryPath);
  const metrics = createMetrics({
    modelsLoaded: () => loaded.list().length,
    runnerRestarts: () => supervisor.restartTotal,
    callsInFlight: () => supervisor.inFlightTotal,
    queues: () => forecaster.queues(),
    runnerMemory: () => supervisor.residentBytes(),
  });
  const forecaster: Forecaster = new Forecaster({
    home,
    store,
    supervisor,
    loaded,
    metrics,
    defaultTimeoutMs: settings.forecastTimeoutMs,
    defaultKeepAlive: settings.keepAlive,
    queue: { parallel: settings.numParallel, queue: settings.maxQueue },
  });
  const training = new TrainingJobs({
    ...{ home, store, loaded, registry, supervisor, log, activity },
    command: trainingProgram,
  });
  return {
    settings,
    env,
    home,
    claim,
    log,
    config,
    registry,
    store,
    supervisor,
    loaded,
    forecaster,
    statistics: new InferenceStatistics(metrics.registry),
    profiles: new ModelProfiles({ home, store, supervisor }),
    metrics,
    modelfiles: new ModelfileStore(home.modelfiles, log),
    usage: new UsageMeter(home.usage, log),
    events: new EventBus(),
    training,
    jobs: new Jobs({ place: jobPlace(home, settings), log, activity }),
    fineTuning: fineTuning(training, { store, loaded }),
    activity,
    tracer: await openTracer('tollama-daemon', env),
    startedAt: new Date(),
  };
};

/** The same routes over gRPC; nothing of it is loaded where no port is set. */
const listenGrpc = async (
  { settings }: DaemonContext,
  fetch: Fetch,
): Promise<GrpcServer | undefined> => {
  const { host, grpcPort: port, maxBodyBytes: maxBytes } = settings;
  if (port === undefined) return undefined;
  const { startGrpc } = await import('./open-inference/grpc/server.ts');
  return startGrpc({ host, port, fetch, maxBytes });
};

const listen = (context: DaemonContext, fetch: Fetch): Promise<Server> =>
  new Promise((resolve, reject) => {
    const { host, port } = context.settings;
    const server = serve({ fetch, hostname: host, port }, () => resolve(server as Server));
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'the address is in use' : cause.message;
      reject(
        new TollamaError('CONFIG_INVALID', `cannot listen on ${host}:${port}: ${why}`, {
          hint: 'is a daemon running already? choose another port with --port or TOLLAMA_PORT',
          cause,
        }),
      );
    });
  });

/**
 * Starts a daemon. Disposing it stops accepting, stops its runners and waits for both.
 *
 * @throws TollamaError CONFIG_INVALID when the address cannot be bound
 */
export const startDaemon = async (
  settings: Settings,
  env: DaemonContext['env'],
): Promise<Daemon> => {
  const context = await createContext(settings, env);
  const temporary = await removeTemporaryModels(context);
  if (temporary.length > 0) context.log.warn({ temporary }, 'removed models of requests cut off');
  const { fetch } = createApp(context);
  const server = await listen(context, fetch).catch(async (error: unknown) => {
    await context.claim[Symbol.asyncDispose]();
    throw error;
  });
  const grpc = await listenGrpc(context, fetch).catch((error: unknown) => {
    server.close();
    throw error;
  });
  const { address, port, family } = server.address() as AddressInfo;
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  context.jobs
    .resume()
    .catch((error: unknown) =>
      context.log.warn({ error: errorMessage(error) }, 'earlier jobs could not be taken up'),
    );
  context.log.info(
    { url, grpcPort: grpc?.port, home: context.home.path },
    'tollama daemon is listening',
  );
  return {
    url,
    grpcPort: grpc?.port,
    context,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      const { supervisor, forecaster } = context;
      const waiting = () => forecaster.queues().reduce((sum, one) => sum + one.waiting, 0);
      await drain({
        server,
        closed,
        underWay: () => supervisor.inFlightTotal + waiting(),
        drainMs: settings.drainMs,
      });
      const grpcClosed = grpc?.[Symbol.asyncDispose]();
      context.events[Symbol.dispose]();
      await context.training[Symbol.asyncDispose]();
      await Promise.all([
        context.jobs[Symbol.asyncDispose](),
        context.supervisor[Symbol.asyncDispose](),
      ]);
      server.closeAllConnections();
      await Promise.all([closed, grpcClosed]);
      await context.usage[Symbol.asyncDispose]();
      await context.tracer?.[Symbol.asyncDispose]();
      await context.claim[Symbol.asyncDispose]();
    },
  };
};
