import { randomBytes } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';

const ACCEPTED = /^[\w.:-]{1,128}$/;

export interface RequestVariables {
  readonly Variables: { requestId: string; keyId: string };
}

/** Echoes X-Request-ID, or makes one of 16 hex digits; security headers on every answer. */
export const requestId: MiddlewareHandler<RequestVariables> = async (c, next) => {
  const given = c.req.header('x-request-id');
  const id = given && ACCEPTED.test(given) ? given : randomBytes(8).toString('hex');
  c.set('requestId', id);
  await next();
  // Not by c.header: on a finished answer that turns the body into a stream, four times over.
  const { headers } = c.res;
  headers.set('x-request-id', id);
  headers.set('x-content-type-options', 'nosniff');
  headers.set('x-frame-options', 'DENY');
  headers.set('referrer-policy', 'no-referrer');
};
