/** Reads request bodies: JSON only, plain or compressed, parsed by a schema. */
import { TollamaError } from '@tollama/core/errors';
import { issuesText, parseBody, type SchemaIssue } from '@tollama/core/schema-issues';
import type { Context } from 'hono';
import type { z } from 'zod';
import { readDecoded } from './decoded-body.ts';
import { wholeFloats } from './whole-floats.ts';

const invalidJson = (reason: string): TollamaError =>
  new TollamaError('INVALID_REQUEST', `the body is not valid JSON: ${reason}`, {
    data: [{ type: 'json_invalid', loc: ['body'], msg: `JSON decode error: ${reason}` }],
  });

const refusal = (issues: readonly SchemaIssue[]): TollamaError =>
  new TollamaError('INVALID_REQUEST', issuesText(issues), { data: issues });

const parseText = (bytes: Uint8Array): { readonly text: string; readonly body: unknown } => {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return { text, body: JSON.parse(text) };
  } catch (error) {
    throw invalidJson((error as Error).message);
  }
};

/** The body as JSON. Throws INVALID_REQUEST, or BODY_TOO_LARGE before it is read whole. */
export const readJson = async (c: Context, maxBytes: number): Promise<unknown> => {
  const type = c.req.header('content-type') ?? '';
  if (!/^application\/(?:[\w.+-]+\+)?json\s*(;|$)/i.test(type)) {
    throw new TollamaError('INVALID_REQUEST', `content-type '${type || 'none'}' is not JSON`, {
      hint: "send 'content-type: application/json'",
    });
  }
  const { text, body } = parseText(await readDecoded(c.req.raw, { maxBytes }));
  const issues = wholeFloats(text);
  if (issues.length > 0) throw refusal(issues);
  return body;
};

/** The body, parsed by a schema. */
export const readBody = async <T>(c: Context, schema: z.ZodType<T>, maxBytes: number): Promise<T> =>
  parseBody(schema, await readJson(c, maxBytes));
