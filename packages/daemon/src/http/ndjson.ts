/** Answers of one JSON object a line, sent as they come. */

const encoder = new TextEncoder();

export const NDJSON = 'application/x-ndjson';

/**
 * A streamed answer. `produce` sends values and returns when it is done; what it throws becomes the last
 * line, since the status is out by then.
 */
export const ndjsonResponse = (
  produce: (send: (value: unknown) => void) => Promise<void>,
  onError: (error: unknown) => unknown,
): Response => {
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      let isOpen = true;
      const send = (value: unknown): void => {
        if (!isOpen) return;
        try {
          controller.enqueue(encoder.encode(`${JSON.stringify(value)}\n`));
        } catch {
          // The client went away.
          isOpen = false;
        }
      };
      try {
        await produce(send);
      } catch (error) {
        send(onError(error));
      }
      if (isOpen) controller.close();
    },
  });
  return new Response(body, { headers: { 'content-type': NDJSON, 'cache-control': 'no-cache' } });
};
