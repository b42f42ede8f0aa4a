/** Reads request bodies: JSON only, plain or compressed, parsed by a schema. */
import { TollamaError } from '@tollama/core/errors';
import { parseBody } from '@tollama/core/schema-issues';
import type { Context } from 'hono';
import type { z } from 'zod';
import { readDecoded } from './decoded-body.ts';

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
  const bytes = await readDecoded(c.req.raw, { maxBytes });
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw invalidJson((error as Error).message);
  }
};

/** The body, parsed by a schema. */
export const readBody = async <T>(c: Context, schema: z.ZodType<T>, maxBytes: number): Promise<T> =>
  parseBody(schema, await readJson(c, maxBytes));
