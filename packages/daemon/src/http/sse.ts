/** Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html */

const encoder = new TextEncoder();

const RETRY_MS = 3000;

export interface SseEvent {
  readonly event: string;
  readonly data: unknown;
  readonly id?: string;
}

export const formatEvent = ({ event, data, id }: SseEvent): string =>
  `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

export interface SseSender {
  send(event: SseEvent): void;
  /** A line that clients ignore; it keeps proxies from closing the connection. */
  comment(text: string): void;
  /** Aborted when the client went away. */
  readonly signal: AbortSignal;
}

/** Answers with events as `produce` sends them; what it throws becomes the event that `onError` makes. */
export const sseResponse = (
  produce: (sender: SseSender) => Promise<void>,
  onError: (error: unknown) => SseEvent,
): Response => {
  const gone = new AbortController();
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      const write = (text: string): void => {
        if (gone.signal.aborted) return;
        try {
          controller.enqueue(encoder.encode(text));
        } catch {
          gone.abort();
        }
      };
      write(`retry: ${RETRY_MS}\n\n`);
      try {
        await produce({
          send: (event) => write(formatEvent(event)),
          comment: (text) => write(`: ${text}\n\n`),
          signal: gone.signal,
        });
      } catch (error) {
        write(formatEvent(onError(error)));
      }
      if (!gone.signal.aborted) controller.close();
    },
    cancel() {
      gone.abort();
    },
  });
  return new Response(body, {
    headers: {
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache',
      // Proxies that gather answers would hold the events back.
      'x-accel-buffering': 'no',
    },
  });
};
