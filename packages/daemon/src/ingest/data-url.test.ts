import { readSettings } from '@tollama/core/settings';
import { expect, test } from 'vitest';
import { ConfigFile } from '../config-file.ts';
import { openDataUrl } from './data-url.ts';

const open = (dataUrl: string, env: Record<string, string> = {}, keys: string[] = []) => {
  class Keys extends ConfigFile {
    override apiKeys = async () => keys;
  }
  const context = { settings: readSettings(env), config: new Keys('none') };
  return openDataUrl(dataUrl, context, new AbortController().signal);
};

test('paths and file addresses are local files', async () => {
  expect(await open('sales.csv')).toEqual({ path: 'sales.csv' });
  expect(await open('file:///data/a%20b.csv')).toEqual({ path: '/data/a b.csv' });
});

test('whoever can reach the daemon from elsewhere needs a key to have files read', async () => {
  const env = { TOLLAMA_HOST: '0.0.0.0:11435' };
  await expect(open('sales.csv', env)).rejects.toThrow('without API keys');
  expect(await open('sales.csv', env, ['k'])).toEqual({ path: 'sales.csv' });
});

test.each([
  'https://example.invalid/x.csv',
  'ftp://x/y.csv',
  'file://elsewhere/x.csv',
  '/dev/null',
])('%s is refused', async (dataUrl) => {
  await expect(open(dataUrl)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
});
