/** The bytes of a request's body, limited however they are sent. */
import { TollamaError } from '@tollama/core/errors';

/** What is still read of a body that is refused: who sends that little hears the refusal instead of a reset. */
const DRAINED_BYTES = 64 * 1024 * 1024;

const tooLarge = (maxBytes: number): TollamaError =>
  new TollamaError(
    'BODY_TOO_LARGE',
    `request body is larger than ${Math.round(maxBytes / 1024 / 1024)} MB; TOLLAMA_MAX_REQUEST_BODY_MB sets the limit`,
  );

const DRAIN_MS = 1000;

/** Reads on without keeping anything, up to a bound of bytes and of time. */
const drain = async (body: AsyncIterator<Uint8Array>): Promise<void> => {
  const end = performance.now() + DRAIN_MS;
  let drained = 0;
  while (drained < DRAINED_BYTES && performance.now() < end) {
    const { done, value } = await body.next();
    if (done) return;
    drained += value.length;
  }
};

const after = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds).unref());

/** All bytes of a body, with or without a declared length. Throws BODY_TOO_LARGE. */
export const readBytes = async (request: Request, maxBytes: number): Promise<Uint8Array> => {
  const declared = Number(request.headers.get('content-length') ?? 0);
  if (request.headers.has('content-length') && declared <= maxBytes) {
    return new Uint8Array(await request.arrayBuffer());
  }
  if (request.body === null) return new Uint8Array();
  const body = request.body[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  let size = 0;
  let isRefused = declared > maxBytes;
  while (!isRefused) {
    const { done, value } = await body.next();
    if (done) return Buffer.concat(chunks);
    size += value.length;
    chunks.push(value);
    isRefused = size > maxBytes;
  }
  await Promise.race([drain(body), after(DRAIN_MS)]).catch(() => {});
  throw tooLarge(maxBytes);
};
