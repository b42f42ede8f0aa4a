/** The pages of the dashboard: static files under a policy that lets nothing in from elsewhere. */
import { type Context, Hono } from 'hono';
import { type BuiltFile, Dashboard } from '../dashboard/built-files.ts';
import { MISSING_PAGE } from '../dashboard/missing-page.ts';

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Files below assets/ carry a hash of their content in their name. */
const cacheControl = (path: string): string =>
  path.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';

const acceptsGzip = (c: Context): boolean =>
  /(?:^|[\s,])gzip(?!\s*;\s*q=0(?:\.0*)?(?:\s*,|\s*$))/i.test(
    c.req.header('accept-encoding') ?? '',
  );

const send = (c: Context, path: string, file: BuiltFile): Response => {
  c.header('content-security-policy', POLICY);
  c.header('cache-control', cacheControl(path));
  c.header('etag', file.etag);
  c.header('vary', 'accept-encoding');
  if (c.req.header('if-none-match') === file.etag) return c.body(null, 304);
  c.header('content-type', file.contentType);
  const isGzipped = acceptsGzip(c);
  if (isGzipped) c.header('content-encoding', 'gzip');
  return c.body(new Uint8Array(isGzipped ? file.gzipped : file.bytes));
};

export const dashboardRoutes = (dashboard = new Dashboard()): Hono => {
  const answer = async (c: Context, path: string): Promise<Response> => {
    const files = await dashboard.files();
    if (!files) {
      c.header('content-security-policy', POLICY);
      return c.html(MISSING_PAGE, 503);
    }
    const file = files.get(path);
    return file ? send(c, path, file) : c.notFound();
  };
  return new Hono()
    .get('/dashboard', (c) => answer(c, 'index.html'))
    .get('/dashboard/', (c) => answer(c, 'index.html'))
    .get('/dashboard/:path{.+}', (c) => answer(c, c.req.param('path')));
};
