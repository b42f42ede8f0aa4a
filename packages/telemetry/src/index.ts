/** Traces across processes: W3C context in and out, spans to an OTLP collector where one is named. */
export {};
