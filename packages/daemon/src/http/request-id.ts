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
  c.header('x-request-id', id);
  c.header('x-content-type-options', 'nosniff');
  c.header('x-frame-options', 'DENY');
  c.header('referrer-policy', 'no-referrer');
};
