/** Reads a body as text, bounded whatever its transfer encoding. */
import type { IncomingMessage } from 'node:http';
import { TollamaError } from '@tollama/core/errors';

const tooLarge = (maxBytes: number): TollamaError =>
  new TollamaError('BODY_TOO_LARGE', `request body is larger than ${maxBytes} bytes`);

/** Straight from the socket: no web stream between. */
export const readIncoming = (incoming: IncomingMessage, maxBytes: number): Promise<string> =>
  new Promise((resolve, reject) => {
    if (Number(incoming.headers['content-length'] ?? 0) > maxBytes) {
      return reject(tooLarge(maxBytes));
    }
    const chunks: Buffer[] = [];
    let size = 0;
    incoming.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) {
        reject(tooLarge(maxBytes));
        incoming.removeAllListeners('data');
        incoming.resume();
      } else chunks.push(chunk);
    });
    incoming.on('end', () => {
      const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size);
      resolve(bytes.toString('utf8'));
    });
    incoming.on('error', (cause) =>
      reject(new TollamaError('INVALID_REQUEST', 'the body ended before it was whole', { cause })),
    );
  });
