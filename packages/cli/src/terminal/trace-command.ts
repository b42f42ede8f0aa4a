/** A command as the root of a trace, or as a part of the one that the environment names. */
import { inCallersTrace } from '@tollama/telemetry/active-trace';
import { openTracer } from '@tollama/telemetry/tracer';

/** Commands that serve: each of their requests has a trace of its own. */
const SERVERS: readonly string[] = ['serve', 'gateway', 'mcp'];

/**
 * Runs a command. TRACEPARENT and TRACESTATE name the trace that it belongs to; with OTEL_EXPORTER_OTLP_ENDPOINT it is
 * a span of its own, sent before this returns.
 */
export const traceCommand = async (
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  run: () => Promise<unknown>,
): Promise<void> => {
  const command = argv[2] ?? 'help';
  if (SERVERS.includes(command)) {
    await run();
    return;
  }
  await using tracer = await openTracer('tollama-cli', env);
  const headers = { traceparent: env.TRACEPARENT, tracestate: env.TRACESTATE };
  const name = `tollama ${command}`;
  await inCallersTrace(tracer, headers, { name, kind: 'client' }, run);
};
