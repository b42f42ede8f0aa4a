import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Dashboard } from '../dashboard/built-files.ts';
import { startTestDaemon } from '../testing/test-daemon.ts';
import { dashboardRoutes } from './dashboard.ts';
import { dashboardStateRoutes } from './dashboard-state.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tollama-dashboard-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const build = async (): Promise<void> => {
  await mkdir(join(folder, 'assets'));
  await writeFile(join(folder, 'assets/main-1a2b.js'), 'console.log(1)');
  await writeFile(join(folder, '.sources'), 'hash');
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>tollama</title>');
};

const routes = () => dashboardRoutes(new Dashboard(folder));

describe('pages', () => {
  test.each(['/dashboard', '/dashboard/'])(
    '%s is the page, under a strict policy',
    async (path) => {
      await build();
      const answer = await routes().request(path);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(answer.headers.get('cache-control')).toBe('no-cache');
      const policy = answer.headers.get('content-security-policy');
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self';");
      expect(policy).not.toMatch(/unsafe|\*|https?:/);
      expect(await answer.text()).toContain('<title>tollama');
    },
  );

  test('files with a hash in their name are kept for ever, gzipped where that is understood', async () => {
    await build();
    const headers = { 'accept-encoding': 'br, gzip;q=0.8' };
    const answer = await routes().request('/dashboard/assets/main-1a2b.js', { headers });
    expect(answer.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(answer.headers.get('cache-control')).toContain('immutable');
    expect(answer.headers.get('content-encoding')).toBe('gzip');
    expect(gunzipSync(await answer.arrayBuffer()).toString()).toBe('console.log(1)');
    const plain = await routes().request('/dashboard/assets/main-1a2b.js', {
      headers: { 'accept-encoding': 'gzip;q=0' },
    });
    expect(await plain.text()).toBe('console.log(1)');
  });

  test('what the browser has is not sent again', async () => {
    await build();
    const app = routes();
    const etag = (await app.request('/dashboard')).headers.get('etag')!;
    const again = await app.request('/dashboard', { headers: { 'if-none-match': etag } });
    expect(again.status).toBe(304);
    expect(await again.text()).toBe('');
  });

  test.each([
    '/dashboard/nothing.js',
    '/dashboard/.sources',
    '/dashboard/../package.json',
    '/dashboard/%2e%2e/%2e%2e/package.json',
    '/dashboard/assets/..%2f..%2fpackage.json',
  ])('%s is not there', async (path) => {
    await build();
    expect((await routes().request(path)).status).toBe(404);
  });

  test('a page says so when nothing was built, and finds a later build by itself', async () => {
    const app = routes();
    const missing = await app.request('/dashboard');
    expect(missing.status).toBe(503);
    expect(await missing.text()).toContain('npm run build:dashboard');
    await build();
    expect((await app.request('/dashboard')).status).toBe(200);
  });
});

describe('the state', () => {
  const answer = (body: unknown, status = 200): Response => Response.json(body, { status });

  test('is gathered with the credentials of the caller; what fails is told', async () => {
    const asked: unknown[] = [];
    const app = dashboardStateRoutes((path, headers) => {
      asked.push([path, headers]);
      if (path === '/api/usage') return answer({ detail: 'no disk' }, 503);
      return path === '/api/ps' ? answer('text') : answer({ path });
    });
    const headers = { authorization: 'Bearer k' };
    const state = await app.request('/api/dashboard/state', { headers });
    expect(await state.json()).toEqual({
      info: { path: '/api/info' },
      ps: null,
      usage: null,
      warnings: [
        { source: 'ps', status_code: 502, detail: 'the answer is not readable' },
        { source: 'usage', status_code: 503, detail: 'no disk' },
      ],
    });
    expect(asked).toEqual(['info', 'ps', 'usage'].map((part) => [`/api/${part}`, headers]));
  });

  test('of a real daemon', async () => {
    await using daemon = await startTestDaemon();
    const { status, body } = await daemon.call('GET', '/api/dashboard/state');
    expect(status).toBe(200);
    expect(body).toMatchObject({ info: { daemon: {}, models: {} }, ps: { models: [] } });
    expect(Object.keys(body as object)).toEqual(['info', 'ps', 'usage', 'warnings']);
  });
});

describe('switches', () => {
  const statusOf = async (url: string, path: string, key?: string): Promise<number> =>
    (await fetch(`${url}${path}`, { headers: key ? { authorization: `Bearer ${key}` } : {} }))
      .status;

  const lock = (home: string): Promise<void> =>
    writeFile(join(home, 'config.json'), JSON.stringify({ version: 1, auth: { api_keys: ['k'] } }));

  test('TOLLAMA_DASHBOARD=0: no page', async () => {
    await using daemon = await startTestDaemon({ TOLLAMA_DASHBOARD: '0' });
    expect(await daemon.call('GET', '/dashboard')).toEqual({
      status: 404,
      body: { detail: 'Not Found' },
    });
  });

  test('with API keys the page is there for all, what it asks is not', async () => {
    await using daemon = await startTestDaemon();
    await lock(daemon.home);
    expect(await statusOf(daemon.url, '/dashboard')).not.toBe(401);
    expect(await statusOf(daemon.url, '/api/dashboard/state')).toBe(401);
    expect(await statusOf(daemon.url, '/api/dashboard/state', 'k')).toBe(200);
  });

  test('TOLLAMA_DASHBOARD_REQUIRE_AUTH: the page needs a key too', async () => {
    await using daemon = await startTestDaemon({ TOLLAMA_DASHBOARD_REQUIRE_AUTH: 'yes' });
    await lock(daemon.home);
    expect(await statusOf(daemon.url, '/dashboard')).toBe(401);
    expect(await statusOf(daemon.url, '/dashboard', 'k')).not.toBe(401);
  });
});
