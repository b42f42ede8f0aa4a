import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ConfigFile } from './config-file.ts';

let folder: string;
let file: ConfigFile;
let age = 0;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tollama-config-'));
  file = new ConfigFile(join(folder, 'config.json'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Writes the file with a time of its own: two writes can fall into one tick of the clock. */
const write = async (content: unknown): Promise<void> => {
  const path = join(folder, 'config.json');
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  await utimes(path, 1_700_000_000, 1_700_000_000 + ++age);
};

test('a wrong file is described in words that name field and value', async () => {
  await write({ version: 1, pull: { max_workers: 'x' }, bogus: 1 });
  expect((await file.read()).error).toBe(
    'pull.max_workers: Input should be a valid integer (got "x"); bogus: Extra inputs are not permitted: \'bogus\'',
  );
  await expect(file.require()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
});

test.each([
  ['a file that is no JSON', '{broken'],
  ['a list', '[]'],
  ['an auth that is none', { auth: null }],
  ['keys that are none', { auth: { api_keys: 7 } }],
  ['an unknown field', { auth: { api_keys: ['first'] }, bogus: 1 }],
])('%s does not open a daemon that had keys', async (_, content) => {
  await write({ auth: { api_keys: ['first'] } });
  expect(await file.apiKeys()).toEqual(['first']);
  await write(content);
  expect(await file.apiKeys()).toEqual(['first']);
});

test('one key without its list counts', async () => {
  await write({ auth: { api_keys: 'only' } });
  expect(await file.apiKeys()).toEqual(['only']);
});

test.each([{}, { auth: {} }, { auth: { api_keys: [] } }])(
  'keys that are taken out of the file are out: %j',
  async (content) => {
    await write({ auth: { api_keys: ['first'] } });
    await file.apiKeys();
    await write(content);
    expect(await file.apiKeys()).toEqual([]);
  },
);
