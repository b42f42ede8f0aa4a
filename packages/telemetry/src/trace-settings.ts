/** Where spans go, from the variables that OpenTelemetry's specification names. */
import { TollamaError } from '@tollama/core/errors';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface TraceSettings {
  readonly service: string;
  /** Address that spans are posted to. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly delayMs: number;
  /** Share of new traces that are kept; a trace that came in keeps its own decision. */
  readonly ratio: number;
  /** Whether the decision of a caller counts. */
  readonly followsParent: boolean;
  readonly resource: Readonly<Record<string, string>>;
}

const TIMEOUT_MS = 10_000;
const DELAY_MS = 5000;

const TRACES_PATH = '/v1/traces';

const urlOf = (env: Environment, configured: string | undefined): string | undefined => {
  const own = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT?.trim();
  if (own) return own;
  const base = env.OTEL_EXPORTER_OTLP_ENDPOINT?.trim() || configured?.trim();
  return base ? base.replace(/\/+$/, '') + TRACES_PATH : undefined;
};

const checked = (url: string): string => {
  if (/^https?:\/\//.test(url) && URL.canParse(url)) return url;
  throw new TollamaError('CONFIG_INVALID', `OTEL_EXPORTER_OTLP_ENDPOINT='${url}' is no address`, {
    hint: 'use http://host:4318, or leave it out to trace nothing',
  });
};

/** `a=1,b=two%20words` */
const pairs = (text: string | undefined): Record<string, string> =>
  Object.fromEntries(
    (text ?? '')
      .split(',')
      .map((pair) => pair.split(/=(.*)/s))
      .filter(([name, value]) => name?.trim() && value !== undefined)
      .map(([name, value]) => [name!.trim(), decoded(value!.trim())]),
  );

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/** What a timer holds. */
const MOST = 2 ** 31 - 1;

const positive = (text: string | undefined, fallback: number): number => {
  const number = Number(text);
  return text !== undefined && text.trim() !== '' && number >= 0 && number <= MOST
    ? number
    : fallback;
};

/** always_on, always_off, traceidratio, each alone or after parentbased_; the default keeps everything. */
const samplingOf = ({ OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: given }: Environment) => {
  const sampler = name?.trim() || 'parentbased_always_on';
  const kind = sampler.replace(/^parentbased_/, '');
  const ratio =
    kind === 'always_off' ? 0 : kind === 'traceidratio' ? Math.min(1, positive(given, 1)) : 1;
  return { ratio, followsParent: sampler.startsWith('parentbased_') };
};

/**
 * The settings of a service; undefined where no collector is named, or OTEL_SDK_DISABLED or
 * OTEL_TRACES_EXPORTER=none say so.
 *
 * @throws TollamaError CONFIG_INVALID for an endpoint that is no http address
 */
export const traceSettings = (
  service: string,
  env: Environment,
  endpoint?: string,
): TraceSettings | undefined => {
  const url = urlOf(env, endpoint);
  const isOff = env.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true';
  if (!url || isOff || env.OTEL_TRACES_EXPORTER?.trim() === 'none') return undefined;
  // A variable that is empty counts as one that is not set.
  const headers = env.OTEL_EXPORTER_OTLP_TRACES_HEADERS || env.OTEL_EXPORTER_OTLP_HEADERS;
  const timeout = env.OTEL_EXPORTER_OTLP_TRACES_TIMEOUT || env.OTEL_EXPORTER_OTLP_TIMEOUT;
  return {
    service: env.OTEL_SERVICE_NAME?.trim() || service,
    url: checked(url),
    headers: pairs(headers),
    timeoutMs: positive(timeout, TIMEOUT_MS),
    delayMs: positive(env.OTEL_BSP_SCHEDULE_DELAY, DELAY_MS),
    ...samplingOf(env),
    resource: pairs(env.OTEL_RESOURCE_ATTRIBUTES),
  };
};
