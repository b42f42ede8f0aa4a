import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestDaemon, type TestDaemon } from '../testing/test-daemon.ts';

let at: TestDaemon;
beforeAll(async () => {
  at = await startTestDaemon({
    TOLLAMA_ALLOWED_HOSTS: 'forecasts.example.org',
    TOLLAMA_CORS_ORIGINS: 'https://page.example.org',
  });
});
afterAll(() => at[Symbol.asyncDispose]());

/** fetch sets the Host by itself. */
const statusOf = (
  method: string,
  headers: Readonly<Record<string, string>>,
  url = at.url,
): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const sent = request(`${url}/api/ps`, { method, headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    sent.on('error', reject);
    sent.end();
  });

describe('the host', () => {
  test.each([
    'localhost:11435',
    'LOCALHOST',
    '127.0.0.1:1',
    '[::1]:11435',
    '192.168.0.7',
    'host.docker.internal:11435',
    'forecasts.example.org',
  ])('%s is let in', async (host) => {
    expect(await statusOf('GET', { host })).toBe(200);
  });

  test.each(['evil.example', 'localhost.evil.example:11435', '127.0.0.1.evil.example', 'x'])(
    '%s is not: a page let its name point here',
    async (host) => {
      expect(await statusOf('GET', { host })).toBe(403);
    },
  );
});

describe('the origin of what changes something', () => {
  test.each([
    'http://localhost:3000',
    'http://127.0.0.1:5173',
    'https://forecasts.example.org',
    'https://page.example.org',
    'tauri://localhost',
  ])('%s is let in', async (origin) => {
    expect(await statusOf('POST', { origin })).toBe(405);
  });

  test.each(['http://evil.example', 'https://page.example.org.evil.example', 'null'])(
    '%s is not',
    async (origin) => {
      expect(await statusOf('POST', { origin })).toBe(403);
      expect(await statusOf('GET', { origin })).toBe(200);
    },
  );
});

test('says what to do', async () => {
  const answer = await fetch(`${at.url}/v2/repository/models/auto/unload`, {
    method: 'POST',
    headers: { origin: 'http://evil.example' },
  });
  expect(answer.status).toBe(403);
  expect(JSON.stringify(await answer.json())).toMatch(/evil\.example.*TOLLAMA_ALLOWED_HOSTS/);
});

test('on other addresses names are nobody’s business', async () => {
  await using open = await startTestDaemon({ TOLLAMA_HOST: '0.0.0.0:0' });
  const url = open.url.replace('0.0.0.0', '127.0.0.1');
  expect(await statusOf('GET', { host: 'gpu.example.org' }, url)).toBe(200);
});
