import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type FakeS3, type FakeS3Options, startFakeS3 } from '../testing/fake-s3.ts';
import { keyMatcher } from './object-pattern.ts';
import { findRemoteFiles } from './remote-files.ts';
import { stageFiles } from './stage.ts';

const folder = mkdtempSync(join(tmpdir(), 'tollama-remote-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const { signal } = new AbortController();
const patience = { attempts: 3, idleMs: 250, pauseMs: 1 };
const KEYS = { id: 'AKIDEXAMPLE', secret: 'wJalr/secret+key', token: 'a/token==' };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text.repeat(5000));
const objects = {
  'sales/2024/a b+c.csv': bytes('one'),
  'sales/2024/ü&<(1)*.csv': bytes('two'),
  'sales/2025/c.csv': bytes('three'),
  'sales/_SUCCESS': bytes('-'),
  'other.csv': bytes('four'),
};

const envOf = ({ endpoint }: FakeS3, more: Record<string, string> = {}) => ({
  ...{ HOME: folder, AWS_ENDPOINT_URL: endpoint, AWS_ACCESS_KEY_ID: KEYS.id },
  ...{ AWS_SECRET_ACCESS_KEY: KEYS.secret, AWS_SESSION_TOKEN: KEYS.token },
  ...more,
});

let stages = 0;
const stage = async (input: string, env: Record<string, string>, place?: string) => {
  const files = await findRemoteFiles([input], { env, signal, patience });
  const staging = place ?? join(folder, `staging-${stages++}`);
  const paths = await stageFiles(files, { folder: staging, signal, patience });
  return paths.map((path) => readFileSync(path));
};

const asBuffers = (...some: Uint8Array[]): Buffer[] => some.map((one) => Buffer.from(one));

describe('objects of S3', () => {
  const serve = (more: Partial<FakeS3Options> = {}) =>
    startFakeS3({ objects, keys: KEYS, ...more });

  test('are listed page by page, signed, and fetched whole', async () => {
    await using s3 = await serve({ keysPerPage: 1 });
    const found = await stage('s3://panels/sales/*/*.csv', envOf(s3));
    expect(found).toEqual(
      asBuffers(
        ...[
          objects['sales/2024/a b+c.csv'],
          ...[objects['sales/2024/ü&<(1)*.csv'], objects['sales/2025/c.csv']],
        ],
      ),
    );
    expect(s3.requests).toHaveLength(4 + 3);
  });

  test('of a folder are all below it without the marks of tools', async () => {
    await using s3 = await serve();
    const files = await findRemoteFiles(['s3://panels/sales/'], { env: envOf(s3), signal });
    expect(files.map(({ path }) => path)).not.toContain('sales/_SUCCESS');
    expect(files).toHaveLength(3);
  });

  test.each(['truncate', 'stall', 'busy', 'garble'] as const)(
    'survive a server that does %s',
    async (trouble) => {
      await using s3 = await serve({ trouble: (count) => (count === 1 ? trouble : undefined) });
      expect(await stage('s3://panels/other.csv', envOf(s3))).toEqual(
        asBuffers(objects['other.csv']),
      );
      const ranges = s3.requests.filter((request) => request.includes('bytes='));
      // How much of a cut answer came is the network's choice.
      if (trouble !== 'truncate') expect(ranges).toHaveLength(trouble === 'stall' ? 1 : 0);
    },
  );

  test('that never come whole are told, and what came is not fetched again', async () => {
    const place = join(folder, 'cut-off');
    const last: { trouble?: 'truncate' } = { trouble: 'truncate' };
    await using s3 = await serve({ trouble: () => last.trouble });
    const env = envOf(s3);
    await expect(stage('s3://panels/other.csv', env, place)).rejects.toMatchObject({
      code: 'PULL_FAILED',
      message: expect.stringMatching(/s3:\/\/panels\/other\.csv: .* \(tried 3 times\)/),
    });
    delete last.trouble;
    expect(await stage('s3://panels/other.csv', env, place)).toEqual(
      asBuffers(objects['other.csv']),
    );
    const asked = s3.requests.length;
    await stage('s3://panels/other.csv', env, place);
    expect(s3.requests.slice(asked).filter((request) => !request.includes('list-type'))).toEqual(
      [],
    );
    expect(readdirSync(place)).toHaveLength(1);
  });

  test('of a bucket elsewhere are asked for there', async () => {
    await using s3 = await serve({ region: 'eu-central-1' });
    expect(await stage('s3://panels/other.csv', envOf(s3))).toHaveLength(1);
  });

  test('of public buckets need no keys', async () => {
    await using s3 = await startFakeS3({ objects });
    const env = { HOME: folder, AWS_ENDPOINT_URL_S3: s3.endpoint };
    expect(await stage('s3a://panels/other.csv', env)).toHaveLength(1);
  });

  test('are opened with the keys of a profile', async () => {
    await using s3 = await serve();
    const credentials = join(folder, 'credentials');
    writeFileSync(
      credentials,
      `[default]\naws_access_key_id = X\n[work]\naws_access_key_id=${KEYS.id}\naws_secret_access_key = ${KEYS.secret}\naws_session_token=${KEYS.token}\n`,
    );
    const config = join(folder, 'config');
    writeFileSync(config, `[profile work]\nendpoint_url = ${s3.endpoint}/\n`);
    const env = {
      ...{ AWS_PROFILE: 'work', AWS_SHARED_CREDENTIALS_FILE: credentials },
      AWS_CONFIG_FILE: config,
    };
    expect(await stage('s3://panels/other.csv', env)).toHaveLength(1);
    await expect(stage('s3://panels/x', { ...env, AWS_PROFILE: 'home' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });

  test.each([
    ['s3://nowhere/a.csv', {}, 'NOT_FOUND', /NoSuchBucket/],
    ['s3://panels/none/*.csv', {}, 'NOT_FOUND', /no object matches/],
    ['s3://panels', {}, 'INVALID_REQUEST', /names no object/],
    ['s3://panels/a.csv', { AWS_ACCESS_KEY_ID: 'other' }, 'UNAUTHORIZED', /InvalidAccessKeyId/],
    ['s3://panels/a.csv', { AWS_SECRET_ACCESS_KEY: 'x' }, 'UNAUTHORIZED', /SignatureDoesNotMatch/],
    ['s3://panels/a.csv', { AWS_SESSION_TOKEN: 'x' }, 'UNAUTHORIZED', /InvalidToken/],
    ['s3://panels/a.csv', { AWS_NO_SIGN_REQUEST: 'true' }, 'UNAUTHORIZED', /AccessDenied/],
    ['s3://panels/a.csv', { AWS_ENDPOINT_URL: 'localhost' }, 'CONFIG_INVALID', /AWS_ENDPOINT_URL/],
    ['gs://panels/a.csv', {}, 'INVALID_REQUEST', /gs:\/\//],
  ])('%s with %o is refused', async (input, more, code, message) => {
    await using s3 = await serve();
    const found = stage(input, envOf(s3, more));
    await expect(found).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });
});

test('addresses of the web are fetched, and named without what signs them', async () => {
  await using web = await startFakeS3({ objects });
  const url = `${web.endpoint}/panels/other.csv?signature=secret`;
  expect(await stage(url, {})).toEqual(asBuffers(objects['other.csv']));
  const missing = stage(`${web.endpoint}/panels/none.csv?signature=secret`, {});
  await expect(missing).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(missing).rejects.not.toThrow('secret');
});

test.each([
  ['a/*.csv', 'a/b.csv', true],
  ['a/*.csv', 'a/b/c.csv', false],
  ['a/**/*.csv', 'a/c.csv', true],
  ['a/**/*.csv', 'a/b/b/c.csv', true],
  ['a/**', 'a/b/c', true],
  ['a/[0-2]?.{csv,parquet}', 'a/1x.parquet', true],
  ['a/[!0-2].csv', 'a/1.csv', false],
  ['a.c(s)v+', 'abc(s)v+', false],
  ['a.c(s)v+', 'a.c(s)v+', true],
])('%s over %s: %s', (pattern, key, isMatch) => {
  expect(keyMatcher(pattern)(key)).toBe(isMatch);
});
