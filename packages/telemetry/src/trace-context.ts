/** W3C Trace Context (level 1): which trace a request belongs to, as headers carry it. */

export interface TraceContext {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits: the span that the next one is a child of. */
  readonly spanId: string;
  /** Bit 0: sampled. */
  readonly flags: number;
  /** Vendors' part, passed on unread. */
  readonly traceState?: string | undefined;
}

/** The two headers, and the fields of the same names in a runner's line. */
export interface TraceHeaders {
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
}

const FORM = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);
const LONGEST_STATE = 512;

/**
 * The context that headers name; undefined when there is none or it is not valid, which starts a new trace.
 * Later versions may append fields; version ff and zero ids are invalid.
 */
export const parseTraceHeaders = ({
  traceparent,
  tracestate,
}: TraceHeaders): TraceContext | undefined => {
  const match = FORM.exec(traceparent?.trim() ?? '');
  if (!match) return undefined;
  const [, version, traceId, spanId, flags, rest] = match;
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (traceId === NO_TRACE || spanId === NO_SPAN) return undefined;
  const traceState = tracestate && tracestate.length <= LONGEST_STATE ? tracestate : undefined;
  return {
    traceId: traceId!,
    spanId: spanId!,
    flags: Number.parseInt(flags!, 16) & 1,
    ...(traceState !== undefined && { traceState }),
  };
};

/** The headers that carry a context on. */
export const traceHeadersOf = ({
  traceId,
  spanId,
  flags,
  traceState,
}: TraceContext): Readonly<Record<string, string>> => ({
  traceparent: `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`,
  ...(traceState !== undefined && { tracestate: traceState }),
});
