/** API keys of config.json: without any, everybody is let in; with some, every route needs one. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { TollamaError } from '@tollama/core/errors';
import type { MiddlewareHandler } from 'hono';
import type { ConfigFile } from '../config-file.ts';
import { errorResponse } from './errors.ts';
import type { RequestVariables } from './request-id.ts';

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

/** The name of a key in usage records: it does not tell the key. */
export const keyIdOf = (key: string): string => `k_${sha256(key).toString('hex').slice(0, 16)}`;

export const ANONYMOUS = 'anonymous';

/** Whether the key is among the known ones, in a time that does not tell how close it was. */
const isKnown = (key: string, keys: readonly string[]): boolean => {
  const given = sha256(key);
  return keys.reduce((found, known) => timingSafeEqual(given, sha256(known)) || found, false);
};

const keyFrom = (header: string | undefined): string => {
  const fail = (message: string): never => {
    throw new TollamaError('UNAUTHORIZED', message, {
      hint: "send 'authorization: Bearer <key>'; the command line reads TOLLAMA_API_KEY",
    });
  };
  if (!header) return fail('missing bearer token');
  const [scheme, ...words] = header.trim().split(/\s+/);
  const key = words.join(' ');
  if (scheme?.toLowerCase() !== 'bearer') return fail('authorization scheme must be Bearer');
  return key || fail('missing bearer token');
};

export const authenticate =
  (config: ConfigFile): MiddlewareHandler<RequestVariables> =>
  async (c, next) => {
    const keys = await config.apiKeys();
    if (keys.length === 0) {
      c.set('keyId', ANONYMOUS);
      return next();
    }
    try {
      const key = keyFrom(c.req.header('authorization'));
      if (!isKnown(key, keys)) throw new TollamaError('UNAUTHORIZED', 'invalid api key');
      c.set('keyId', keyIdOf(key));
    } catch (error) {
      c.header('www-authenticate', 'Bearer');
      return errorResponse(c, error);
    }
    return next();
  };
