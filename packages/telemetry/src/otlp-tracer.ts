/** Spans by OpenTelemetry's SDK, sent in batches over OTLP/HTTP. Loaded only where a collector is named. */
import { setTimeout as setTimeoutPromise } from 'node:timers/promises';
import {
  type Link,
  type Context as OtelContext,
  type Span as OtelSpan,
  SpanKind as OtelSpanKind,
  ROOT_CONTEXT,
  type SpanContext,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { VERSION } from '@tollama/core/version';
import type { TraceContext } from './trace-context.ts';
import type { TraceSettings } from './trace-settings.ts';
import type { Attributes, Span, SpanKind, SpanStart, Tracer } from './tracer.ts';

const KINDS: Readonly<Record<SpanKind, OtelSpanKind>> = {
  internal: OtelSpanKind.INTERNAL,
  server: OtelSpanKind.SERVER,
  client: OtelSpanKind.CLIENT,
};

/** Spans are sent even while a service is going away, but nobody waits for a dead collector. */
const FLUSH_MS = 2000;

const samplerOf = ({ ratio, followsParent }: TraceSettings): Sampler => {
  const root = new TraceIdRatioBasedSampler(ratio);
  return followsParent ? new ParentBasedSampler({ root }) : root;
};

const present = (attributes: Attributes): Record<string, string | number | boolean> => {
  const kept: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) kept[name] = value;
  }
  return kept;
};

const toSpanContext = ({ traceId, spanId, flags }: TraceContext): SpanContext => ({
  traceId,
  spanId,
  traceFlags: flags & TraceFlags.SAMPLED,
  isRemote: true,
});

const contextOf = (parent: TraceContext | undefined): OtelContext =>
  parent ? trace.setSpanContext(ROOT_CONTEXT, toSpanContext(parent)) : ROOT_CONTEXT;

class OtlpSpan implements Span {
  readonly context: TraceContext;
  readonly #span: OtelSpan;
  #hasEnded = false;

  constructor(span: OtelSpan, parent: TraceContext | undefined) {
    const { traceId, spanId, traceFlags } = span.spanContext();
    this.#span = span;
    this.context = { traceId, spanId, flags: traceFlags, traceState: parent?.traceState };
  }

  set(attributes: Attributes): void {
    this.#span.setAttributes(present(attributes));
  }

  end({ error, endMs }: { readonly error?: unknown; readonly endMs?: number } = {}): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    if (error !== undefined) {
      const message = errorMessage(error);
      const type = error instanceof TollamaError ? error.code : 'Error';
      this.#span.setStatus({ code: SpanStatusCode.ERROR, message });
      this.#span.setAttributes({ 'error.type': type });
    }
    this.#span.end(endMs);
  }
}

/** A tracer whose spans are posted to `settings.url`. */
export const openOtlpTracer = (settings: TraceSettings): Tracer => {
  const { url, headers, timeoutMs, delayMs, service, resource } = settings;
  const exporter = new OTLPTraceExporter({
    url,
    headers: { ...headers },
    timeoutMillis: timeoutMs,
  });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      ...resource,
      'service.name': service,
      'service.version': VERSION,
      'process.pid': process.pid,
    }),
    sampler: samplerOf(settings),
    spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: delayMs })],
  });
  const tracer = provider.getTracer('tollama', VERSION);
  const flush = (): Promise<void> =>
    provider.forceFlush({ timeoutMillis: FLUSH_MS }).catch(() => {});
  return {
    start({ name, kind = 'internal', parent, attributes = {}, links = [], startMs }: SpanStart) {
      const options = {
        kind: KINDS[kind],
        attributes: present(attributes),
        links: links.map((link): Link => ({ context: toSpanContext(link) })),
        ...(startMs !== undefined && { startTime: startMs }),
      };
      return new OtlpSpan(tracer.startSpan(name, options, contextOf(parent)), parent);
    },
    flush,
    async [Symbol.asyncDispose]() {
      const late = setTimeoutPromise(FLUSH_MS, undefined, { ref: false });
      await Promise.race([provider.shutdown().catch(() => {}), late]);
    },
  };
};
