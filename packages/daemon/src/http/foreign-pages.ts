/**
 * Keeps web pages of other sites out of a daemon that serves whoever reaches it. A page can reach 127.0.0.1 in two
 * ways: by a name of its own that it lets point here (then the Host is that name), and by a form or a script that is
 * sent blindly (then the Origin is the page's). Where keys are configured neither helps a page: it has none.
 */
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { TollamaError } from '@tollama/core/errors';
import type { Settings } from '@tollama/core/settings';
import type { MiddlewareHandler } from 'hono';
import type { ConfigFile } from '../config-file.ts';
import { errorResponse } from './errors.ts';

const LOOPBACK = /^(?:127(?:\.\d+){3}|::1|localhost)$/;
/** Names that nobody can register: a page of the web has none of them. */
const PRIVATE_NAME = /^(?:.+\.)?(?:localhost|local|internal)$/;
/** Methods that change nothing here; what they answer a page of another site may not read. */
const READING: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

type Allowed = Pick<Settings, 'host' | 'allowedHosts' | 'corsOrigins'>;

/** The name in `name:port` or `[::1]:port`, lower case. */
const nameOf = (host: string): string =>
  host
    .trim()
    .toLowerCase()
    .replace(/:\d*$/, '')
    .replace(/^\[|\]$|\.$/g, '');

const isKnownHost = (host: string, { allowedHosts }: Allowed): boolean => {
  const name = nameOf(host);
  return (
    isIP(name) > 0 ||
    PRIVATE_NAME.test(name) ||
    name === hostname().toLowerCase() ||
    allowedHosts.includes(name)
  );
};

const isKnownOrigin = (origin: string, host: string | undefined, allowed: Allowed): boolean => {
  const { corsOrigins, allowedHosts } = allowed;
  if (corsOrigins.includes('*') || corsOrigins.includes(origin)) return true;
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  // Sandboxed pages say `null`; desktop programs have schemes of their own.
  if (!url) return false;
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return true;
  const name = nameOf(url.host);
  return LOOPBACK.test(name) || allowedHosts.includes(name) || url.host === host?.toLowerCase();
};

const refuse = (what: string): TollamaError =>
  new TollamaError('FORBIDDEN', `${what} is not one that this daemon answers to`, {
    hint: 'name it in TOLLAMA_ALLOWED_HOSTS (a proxy) or TOLLAMA_CORS_ORIGINS (a page), or configure API keys',
  });

/** Refuses with FORBIDDEN what a page of another site may have sent; only on loopback, and only without keys. */
export const refuseForeignPages = (allowed: Allowed, config: ConfigFile): MiddlewareHandler => {
  if (!LOOPBACK.test(allowed.host)) return (_, next) => next();
  return async (c, next) => {
    const [host, origin] = [c.req.header('host'), c.req.header('origin')];
    const isForeignHost = host !== undefined && !isKnownHost(host, allowed);
    const isForeignOrigin =
      origin !== undefined && !READING.has(c.req.method) && !isKnownOrigin(origin, host, allowed);
    if (!isForeignHost && !isForeignOrigin) return next();
    if ((await config.apiKeys()).length > 0) return next();
    return errorResponse(
      c,
      refuse(isForeignHost ? `the host '${nameOf(host)}'` : `the origin '${origin}'`),
    );
  };
};
