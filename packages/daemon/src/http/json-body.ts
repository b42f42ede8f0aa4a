/** Reads request bodies: JSON only, limited whatever the transfer encoding, parsed by a schema. */
import { TollamaError } from '@tollama/core/errors';
import { parseBody } from '@tollama/core/schema-issues';
import type { Context } from 'hono';
import type { z } from 'zod';

const tooLarge = (maxBytes: number): TollamaError =>
  new TollamaError(
    'BODY_TOO_LARGE',
    `request body is larger than ${Math.round(maxBytes / 1024 / 1024)} MB; TOLLAMA_MAX_REQUEST_BODY_MB sets the limit`,
  );

/** All bytes of a body, however it is sent. Throws BODY_TOO_LARGE. */
export const readBytes = async (request: Request, maxBytes: number): Promise<Uint8Array> => {
  const declared = Number(request.headers.get('content-length') ?? 0);
  if (declared > maxBytes) throw tooLarge(maxBytes);
  const hasLength = request.headers.has('content-length');
  if (hasLength) return new Uint8Array(await request.arrayBuffer());
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

const invalidJson = (reason: string): TollamaError =>
  new TollamaError('INVALID_REQUEST', `the body is not valid JSON: ${reason}`, {
    data: [{ type: 'json_invalid', loc: ['body'], msg: `JSON decode error: ${reason}` }],
  });

/** The body as JSON. Throws INVALID_REQUEST, or BODY_TOO_LARGE before it is read whole. */
export const readJson = async (c: Context, maxBytes: number): Promise<unknown> => {
  const type = c.req.header('content-type') ?? '';
  if (!/^application\/(?:[\w.+-]+\+)?json\s*(;|$)/i.test(type)) {
    throw new TollamaError('INVALID_REQUEST', `content-type '${type || 'none'}' is not JSON`, {
      hint: "send 'content-type: application/json'",
    });
  }
  const bytes = await readBytes(c.req.raw, maxBytes);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw invalidJson((error as Error).message);
  }
};

/** The body, parsed by a schema. */
export const readBody = async <T>(c: Context, schema: z.ZodType<T>, maxBytes: number): Promise<T> =>
  parseBody(schema, await readJson(c, maxBytes));
