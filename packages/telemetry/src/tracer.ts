/** What the rooms know of tracing: spans are started and ended; where they go is not their concern. */
import type { TraceContext } from './trace-context.ts';
import { type Environment, traceSettings } from './trace-settings.ts';

export type AttributeValue = string | number | boolean;
export type Attributes = Readonly<Record<string, AttributeValue | undefined>>;

export type SpanKind = 'internal' | 'server' | 'client';

export interface SpanStart {
  readonly name: string;
  readonly kind?: SpanKind;
  readonly parent?: TraceContext | undefined;
  readonly attributes?: Attributes;
  /** Other traces that share the work. */
  readonly links?: readonly TraceContext[];
  /** Milliseconds since 1970, for work that is told of afterwards; now by default. */
  readonly startMs?: number;
}

export interface Span {
  readonly context: TraceContext;
  set(attributes: Attributes): void;
  /** Ends it, as failed where an error is given. Later calls do nothing. */
  end(how?: { readonly error?: unknown; readonly endMs?: number }): void;
}

export interface Tracer extends AsyncDisposable {
  start(span: SpanStart): Span;
  /** Sends what has ended; a collector that cannot be reached is no error. */
  flush(): Promise<void>;
}

/**
 * A tracer where the environment (or `endpoint`, from a configuration file) names a collector, else undefined:
 * then nothing of OpenTelemetry is loaded.
 *
 * @example
 * await using tracer = await openTracer('tollama-daemon', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318' });
 */
export const openTracer = async (
  service: string,
  env: Environment,
  endpoint?: string,
): Promise<Tracer | undefined> => {
  const settings = traceSettings(service, env, endpoint);
  if (!settings) return undefined;
  const { openOtlpTracer } = await import('./otlp-tracer.ts');
  return openOtlpTracer(settings);
};
