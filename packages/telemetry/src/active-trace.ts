/** The trace that the code of now works for, carried along asynchronous calls. */
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  parseTraceHeaders,
  type TraceContext,
  type TraceHeaders,
  traceHeadersOf,
} from './trace-context.ts';
import type { Attributes, Span, SpanKind, Tracer } from './tracer.ts';

interface Active {
  readonly context: TraceContext;
  /** The span of `context`, where it is one of this process. */
  readonly span?: Span;
  /** Absent where this process sends no spans: the caller's context is still passed on. */
  readonly tracer: Tracer | undefined;
}

const storage = new AsyncLocalStorage<Active>();

export interface SpanOptions {
  readonly kind?: SpanKind;
  readonly attributes?: Attributes;
}

/** The headers to send along with a request made now; none outside of a trace. */
export const activeTraceHeaders = (): Readonly<Record<string, string>> => {
  const active = storage.getStore();
  return active ? traceHeadersOf(active.context) : {};
};

/** Adds to the span of now, if there is one. */
export const tellActiveSpan = (attributes: Attributes): void => {
  storage.getStore()?.span?.set(attributes);
};

const runInside = async <T>(
  tracer: Tracer,
  span: Span,
  work: (span: Span) => Promise<T>,
): Promise<T> => {
  try {
    const result = await storage.run({ context: span.context, span, tracer }, () => work(span));
    span.end();
    return result;
  } catch (error) {
    span.end({ error });
    throw error;
  }
};

/** Does the work in a span of the trace of now; just does it where nothing is traced. */
export const inSpan = <T>(
  name: string,
  options: SpanOptions,
  work: (span: Span | undefined) => Promise<T>,
): Promise<T> => {
  const active = storage.getStore();
  if (!active?.tracer) return work(undefined);
  const span = active.tracer.start({ name, ...options, parent: active.context });
  return runInside(active.tracer, span, work);
};

/**
 * Does a caller's work: in a span below the one its headers name, or of a new trace. Without a tracer the caller's
 * context is passed on as it came.
 */
export const inCallersTrace = <T>(
  tracer: Tracer | undefined,
  headers: TraceHeaders,
  { name, kind = 'server', attributes = {} }: SpanOptions & { readonly name: string },
  work: (span: Span | undefined) => Promise<T>,
): Promise<T> => {
  const parent = parseTraceHeaders(headers);
  if (tracer) return runInside(tracer, tracer.start({ name, kind, attributes, parent }), work);
  if (!parent) return work(undefined);
  return storage.run({ context: parent, tracer: undefined }, () => work(undefined));
};
