/**
 * Every environment variable that the product reads: name, meaning, default. Parsed once into a frozen
 * value; `process.env` is read by the programs' entry files only.
 */
import { homedir, totalmem } from 'node:os';
import { join } from 'node:path';
import { TollamaError } from './errors.ts';
import { LIMITS } from './limits.ts';
import { parseLogLevel } from './log-level.ts';

export const DEFAULT_HOST = '127.0.0.1';
export const DEFAULT_PORT = 11435;

/** name -> [meaning, default as shown in help] */
export const ENVIRONMENT = {
  TOLLAMA_HOME: ['state folder', '~/.tollama'],
  TOLLAMA_HOST: ['address that the daemon binds, host:port', `${DEFAULT_HOST}:${DEFAULT_PORT}`],
  TOLLAMA_PORT: ['port, where TOLLAMA_HOST is not set', String(DEFAULT_PORT)],
  TOLLAMA_LOG_LEVEL: ['trace, debug, info, warn, error or silent', 'info'],
  TOLLAMA_MODEL_REGISTRY_PATH: ['another registry.yaml', 'built in'],
  TOLLAMA_FORECAST_TIMEOUT_SECONDS: ['default timeout of a forecast', '300'],
  TOLLAMA_MAX_REQUEST_BODY_MB: ['largest request body', String(LIMITS.bodyMegabytes)],
  TOLLAMA_KEEP_ALIVE: ['how long models stay loaded after an answer, such as 10m', 'for ever'],
  TOLLAMA_MAX_LOADED_MODELS: ['models loaded at the same time', 'what memory allows'],
  TOLLAMA_MEMORY_LIMIT_MB: ['memory that loaded models may take', '80 % of the machine'],
  TOLLAMA_NUM_PARALLEL: ['forecasts given to a runner at the same time; it batches them', '128'],
  TOLLAMA_MAX_QUEUE: ['forecasts that may wait for a family; more get 503', '512'],
  TOLLAMA_RUNNER_IDLE_SECONDS: ['a runner without loaded models ends after', '300'],
  TOLLAMA_DRAIN_SECONDS: ['a daemon that ends waits that long for forecasts under way', '5'],
  TOLLAMA_THREADS: ['threads of one operator of a model', 'number of processors'],
  TOLLAMA_HF_TOKEN: ['token of the hub', 'none; HF_TOKEN is read too'],
  TOLLAMA_PULL_PART_MB: ['size of the parts that large files of a pull come in', '64'],
  TOLLAMA_PULL_STALL_SECONDS: ['a hub that sends nothing for that long is asked again', '30'],
  TOLLAMA_RUNNER_MEMORY_MB: [
    'memory that one runner may take; one that takes more is ended',
    'no limit',
  ],
  HF_ENDPOINT: ['address of the hub', 'the public one'],
  TOLLAMA_API_KEY: ['key that the command line sends', 'none'],
  TOLLAMA_RATE_LIMIT_PER_MINUTE: ['forecasts a minute for each API key', 'no limit'],
  TOLLAMA_RATE_LIMIT_BURST: ['forecasts that may come at once', 'the rate of a minute'],
  TOLLAMA_CORS_ORIGINS: ['origins of browsers that may ask, comma separated; * for all', 'none'],
  TOLLAMA_ALLOWED_HOSTS: [
    'names under which a proxy may reach a daemon on loopback, comma separated',
    'this machine',
  ],
  TOLLAMA_TIMEGPT_MODEL: [
    'model behind the names timegpt-*; name=model pairs with commas for single names',
    'auto',
  ],
  TOLLAMA_QUEUE: ['queue of jobs, such as redis://host:port', 'a journal under TOLLAMA_HOME'],
  TOLLAMA_GRPC_PORT: ['port of the Open Inference Protocol over gRPC', 'none'],
  TOLLAMA_ALLOW_REMOTE_DATA_URL: ['whether data_url may be an http(s) address', 'off'],
  TOLLAMA_DOCS_PUBLIC: ['whether /docs and /openapi.json need no API key', 'off'],
  TOLLAMA_DASHBOARD: ['whether /dashboard is served', 'on'],
  TOLLAMA_DASHBOARD_REQUIRE_AUTH: ['whether the pages of /dashboard need an API key too', 'off'],
  OTEL_EXPORTER_OTLP_ENDPOINT: ['OTLP/HTTP collector that traces are sent to', 'none'],
  TOLLAMA_DEBUG: ['check every graph before it runs', 'off'],
} as const satisfies Record<string, readonly [meaning: string, fallback: string]>;

type Environment = Readonly<Record<string, string | undefined>>;

export interface Settings {
  readonly home: string;
  readonly host: string;
  readonly port: number;
  /** Undefined: no gRPC. */
  readonly grpcPort: number | undefined;
  readonly logLevel: string;
  readonly registryPath: string | undefined;
  readonly forecastTimeoutMs: number;
  readonly maxBodyBytes: number;
  readonly keepAlive: string | undefined;
  readonly maxLoadedModels: number | undefined;
  readonly memoryLimitBytes: number;
  readonly numParallel: number;
  readonly maxQueue: number;
  readonly runnerIdleMs: number;
  /** How long a daemon that ends waits for forecasts under way. */
  readonly drainMs: number;
  /** Resident memory of one runner process; undefined: no limit. */
  readonly runnerMemoryBytes: number | undefined;
  readonly threads: number | undefined;
  /** Forecasts a minute for each API key; undefined: no limit. */
  readonly rateLimitPerMinute: number | undefined;
  readonly rateLimitBurst: number | undefined;
  readonly corsOrigins: readonly string[];
  /** Names of a Host or Origin that are let in beside those of this machine; lower case, without a port. */
  readonly allowedHosts: readonly string[];
  /** Model for each name of the TimeGPT API; '*' for the names that have none of their own. */
  readonly timegptModels: Readonly<Record<string, string>>;
  /** Address of the queue that jobs are kept in; undefined: a journal of this daemon. */
  readonly queue: string | undefined;
  readonly allowRemoteDataUrl: boolean;
  readonly docsPublic: boolean;
  readonly dashboard: boolean;
  /** The pages hold no data; what they show is asked with a key in any case. */
  readonly dashboardRequireAuth: boolean;
  readonly pullPartBytes: number;
  readonly pullStallMs: number;
  readonly hubEndpoint: string;
  readonly hubToken: string | undefined;
}

const TOKEN_VARIABLES = [
  'TOLLAMA_HF_TOKEN',
  'HF_TOKEN',
  'HUGGINGFACE_HUB_TOKEN',
  'HUGGING_FACE_HUB_TOKEN',
  'HF_HUB_TOKEN',
] as const;

/** Which token variables are set; their values are never shown. */
export const tokensPresent = (env: Environment): Readonly<Record<string, boolean>> =>
  Object.fromEntries(TOKEN_VARIABLES.map((name) => [`${name}_present`, Boolean(env[name])]));

const invalid = (name: string, value: string, remedy: string): never => {
  throw new TollamaError('CONFIG_INVALID', `${name}='${value}' is not valid`, { hint: remedy });
};

const parsePort = (name: string, value: string): number => {
  const port = Number(value);
  return Number.isInteger(port) && port >= 0 && port < 65_536
    ? port
    : invalid(name, value, 'use a port between 0 and 65535');
};

/** host:port, also [::1]:port. */
const parseHost = (value: string): { host: string; port: number } => {
  const match = /^(?:https?:\/\/)?(\[[^\]]+\]|[^:]+):(\d+)\/?$/.exec(value.trim());
  if (!match) return invalid('TOLLAMA_HOST', value, 'use host:port, such as 127.0.0.1:11435');
  return { host: match[1]!.replace(/^\[|\]$/g, ''), port: parsePort('TOLLAMA_HOST', match[2]!) };
};

/** A positive number, or the fallback: a broken number in the environment stops nobody. */
const positive = (value: string | undefined, fallback: number): number => {
  const number = Number(value);
  return value !== undefined && value.trim() !== '' && Number.isFinite(number) && number > 0
    ? number
    : fallback;
};

const isOn = (value: string | undefined): boolean =>
  /^(?:1|true|yes|on)$/i.test(value?.trim() ?? '');

const isOff = (value: string | undefined): boolean =>
  /^(?:0|false|no|off)$/i.test(value?.trim() ?? '');

const parseList = (value: string | undefined): readonly string[] =>
  (value ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);

/** `chronos2` or `timegpt-1-long-horizon=timesfm-2.5-200m,chronos2`. */
const parseAliases = (value: string | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries(
    (value ?? '')
      .split(',')
      .map((part) => part.split('=').map((side) => side.trim()))
      .filter((sides) => sides.every(Boolean))
      .map((sides) => (sides.length > 1 ? [sides[0]!, sides[1]!] : ['*', sides[0]!])),
  );

/** Reads the settings. Throws CONFIG_INVALID for an address that cannot be bound. */
export const readSettings = (env: Environment): Settings => {
  const bind = env.TOLLAMA_HOST
    ? parseHost(env.TOLLAMA_HOST)
    : {
        host: DEFAULT_HOST,
        port: env.TOLLAMA_PORT ? parsePort('TOLLAMA_PORT', env.TOLLAMA_PORT) : DEFAULT_PORT,
      };
  const threads = positive(env.TOLLAMA_THREADS, 0);
  return Object.freeze({
    home: env.TOLLAMA_HOME || join(homedir(), '.tollama'),
    ...bind,
    grpcPort: env.TOLLAMA_GRPC_PORT
      ? parsePort('TOLLAMA_GRPC_PORT', env.TOLLAMA_GRPC_PORT)
      : undefined,
    logLevel: parseLogLevel(env.TOLLAMA_LOG_LEVEL || 'info', 'TOLLAMA_LOG_LEVEL'),
    registryPath: env.TOLLAMA_MODEL_REGISTRY_PATH || undefined,
    forecastTimeoutMs: positive(env.TOLLAMA_FORECAST_TIMEOUT_SECONDS, 300) * 1000,
    maxBodyBytes: positive(env.TOLLAMA_MAX_REQUEST_BODY_MB, LIMITS.bodyMegabytes) * 1024 * 1024,
    keepAlive: env.TOLLAMA_KEEP_ALIVE || undefined,
    maxLoadedModels: Math.floor(positive(env.TOLLAMA_MAX_LOADED_MODELS, 0)) || undefined,
    memoryLimitBytes: positive(env.TOLLAMA_MEMORY_LIMIT_MB, 0) * 1e6 || totalmem() * 0.8,
    numParallel: Math.max(1, Math.floor(positive(env.TOLLAMA_NUM_PARALLEL, 128))),
    maxQueue: Math.floor(positive(env.TOLLAMA_MAX_QUEUE, 512)),
    runnerIdleMs: positive(env.TOLLAMA_RUNNER_IDLE_SECONDS, 300) * 1000,
    drainMs:
      Number(env.TOLLAMA_DRAIN_SECONDS || 5) === 0
        ? 0
        : positive(env.TOLLAMA_DRAIN_SECONDS, 5) * 1000,
    runnerMemoryBytes: positive(env.TOLLAMA_RUNNER_MEMORY_MB, 0) * 1e6 || undefined,
    threads: threads > 0 ? Math.floor(threads) : undefined,
    rateLimitPerMinute: positive(env.TOLLAMA_RATE_LIMIT_PER_MINUTE, 0) || undefined,
    rateLimitBurst: positive(env.TOLLAMA_RATE_LIMIT_BURST, 0) || undefined,
    corsOrigins: parseList(env.TOLLAMA_CORS_ORIGINS),
    allowedHosts: parseList(env.TOLLAMA_ALLOWED_HOSTS).map((name) => name.toLowerCase()),
    timegptModels: parseAliases(env.TOLLAMA_TIMEGPT_MODEL),
    queue: env.TOLLAMA_QUEUE || undefined,
    allowRemoteDataUrl: isOn(env.TOLLAMA_ALLOW_REMOTE_DATA_URL),
    docsPublic: isOn(env.TOLLAMA_DOCS_PUBLIC),
    dashboard: !isOff(env.TOLLAMA_DASHBOARD),
    dashboardRequireAuth: isOn(env.TOLLAMA_DASHBOARD_REQUIRE_AUTH),
    pullPartBytes: Math.ceil(positive(env.TOLLAMA_PULL_PART_MB, 64) * 1e6),
    pullStallMs: positive(env.TOLLAMA_PULL_STALL_SECONDS, 30) * 1000,
    hubEndpoint: (env.HF_ENDPOINT || 'https://huggingface.co').replace(/\/+$/, ''),
    hubToken: TOKEN_VARIABLES.map((name) => env[name]).find(Boolean),
  });
};
