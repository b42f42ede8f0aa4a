/** What the daemon does for the caller's key, as server-sent events. */
import { TollamaError, toTollamaError } from '@tollama/core/errors';
import { Hono } from 'hono';
import type { DaemonContext } from '../context.ts';
import { errorBody } from '../http/errors.ts';
import type { RequestVariables } from '../http/request-id.ts';
import { sseResponse } from '../http/sse.ts';

const HEARTBEAT_SECONDS = 15;

const positive = (text: string | undefined, name: string, isWhole: boolean): number | undefined => {
  if (text === undefined || text.trim() === '') return undefined;
  const value = Number(text);
  if (Number.isFinite(value) && value > 0 && (!isWhole || Number.isSafeInteger(value)))
    return value;
  throw new TollamaError(
    'INVALID_REQUEST',
    `${name} '${text}' is not a positive ${isWhole ? 'integer' : 'number'}`,
    { hint: `leave ${name} out, or give a ${isWhole ? 'whole number from 1' : 'number above 0'}` },
  );
};

/** Names of `event=a&event=b` and `events=a,b` together; undefined: all. */
const chosenNames = (single: readonly string[], joined: readonly string[]) => {
  const names = [...single, ...joined]
    .flatMap((text) => text.split(','))
    .map((name) => name.trim())
    .filter(Boolean);
  return names.length > 0 ? new Set(names) : undefined;
};

export const eventRoutes = ({ events }: DaemonContext): Hono<RequestVariables> =>
  new Hono<RequestVariables>().get('/api/events', (c) => {
    const heartbeat = positive(c.req.query('heartbeat'), 'heartbeat', false) ?? HEARTBEAT_SECONDS;
    const most =
      positive(c.req.query('max_events'), 'max_events', true) ?? Number.POSITIVE_INFINITY;
    const names = chosenNames(c.req.queries('event') ?? [], c.req.queries('events') ?? []);
    // Subscribed before the answer starts: what happens from here on is heard.
    const subscription = events.subscribe({ keyId: c.get('keyId'), names });
    return sseResponse(
      async ({ send, comment, signal }) => {
        using listening = subscription;
        signal.addEventListener('abort', () => subscription[Symbol.dispose]());
        for (let sent = 0; sent < most; ) {
          const record = await listening.next(Math.min(heartbeat * 1000, 2 ** 31 - 1));
          if (record === 'closed') return;
          if (record === 'idle') comment('keepalive');
          else {
            send({ id: record.event_id, event: record.event, data: record });
            sent++;
          }
        }
      },
      (error) => ({ event: 'error', data: errorBody(toTollamaError(error)) }),
    );
  });
