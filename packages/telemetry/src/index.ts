/** Traces across processes: W3C context in and out, spans to an OTLP collector where one is named. */
export * from './active-trace.ts';
export * from './trace-context.ts';
export * from './trace-settings.ts';
export * from './tracer.ts';
