/** Requests whose answers come bit by bit; an error in the middle is thrown. */
import { toError } from './response-error.ts';
import { readJsonLines, readServerEvents, type ServerEvent } from './streams.ts';
import type { CallOptions, Request, Transport } from './transport.ts';
import type { StreamEvent } from './types.ts';

/** Posts a body and reads lines of JSON. */
export async function* postForLines(
  transport: Transport,
  path: string,
  { body, ...options }: CallOptions & { readonly body: unknown },
): AsyncGenerator<StreamEvent, void, undefined> {
  const request = { method: 'POST', body, isLong: true, ...options };
  const response = await transport.request(path, request);
  for await (const event of readJsonLines<StreamEvent>(response)) {
    if (event.error) throw toError(event.error, event.error.status, 'PULL_FAILED');
    yield event;
  }
}

/** Asks and reads server-sent events. */
export async function* askForEvents(
  transport: Transport,
  path: string,
  request: Request,
): AsyncGenerator<ServerEvent, void, undefined> {
  const response = await transport.request(path, request);
  for await (const event of readServerEvents(response)) {
    if (event.event === 'error') {
      const { code, message, detail, hint } = event.data as Record<string, string | undefined>;
      const status = Number(code);
      throw toError({ detail, message, hint }, Number.isInteger(status) ? status : undefined);
    }
    yield event;
  }
}
