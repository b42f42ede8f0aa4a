/** A run as spans of OpenTelemetry: one for the whole, one for each epoch, and one for each warning or worse. */
import { parseTraceHeaders } from '@tollama/telemetry/trace-context';
import type { Span, Tracer } from '@tollama/telemetry/tracer';
import type { TrainingEvent } from './event.ts';
import type { Listener } from './telemetry.ts';

export interface TracedRun {
  readonly listen: Listener;
  readonly end: (how?: { readonly error?: unknown }) => void;
}

/** Attributes as spans take them: what is null is left out. */
const attributesOf = ({ attributes, epoch, step, level }: TrainingEvent) => {
  const own = Object.entries(attributes).map(([name, value]) => [
    `tolaria.${name}`,
    value ?? undefined,
  ]);
  return {
    'tolaria.epoch': epoch,
    'tolaria.step': step,
    'tolaria.level': level,
    ...(Object.fromEntries(own) as Record<string, string | number | boolean | undefined>),
  };
};

/**
 * @param traceparent W3C context of whoever started the run, where he named one
 */
export const traceRun = (
  tracer: Tracer,
  job: string,
  traceparent: string | undefined,
): TracedRun => {
  const attributes = { 'tolaria.job': job };
  const parent = parseTraceHeaders({ traceparent });
  const root: Span = tracer.start({ name: 'tolaria.training', attributes, parent });
  let epochStartMs = Date.now();
  const tell = (event: TrainingEvent, startMs?: number): void => {
    const start = { name: event.name, parent: root.context, attributes: attributesOf(event) };
    const span = tracer.start({ ...start, ...(startMs !== undefined && { startMs }) });
    span.end(event.level === 'critical' ? { error: new Error(event.name) } : {});
  };
  return {
    listen: (event) => {
      if (event.name === 'training.epoch') {
        tell(event, epochStartMs);
        epochStartMs = Date.now();
      } else if (event.level === 'warning' || event.level === 'critical') tell(event);
    },
    end: (how) => root.end(how),
  };
};
