import { expect, test } from 'vitest';
import { readSettings, tokensPresent } from './settings.ts';

test('defaults', () => {
  expect(readSettings({})).toMatchObject({
    host: '127.0.0.1',
    port: 11435,
    logLevel: 'info',
    forecastTimeoutMs: 300_000,
    maxBodyBytes: 10 * 1024 * 1024,
  });
});

test.each([
  [{ TOLLAMA_HOST: '0.0.0.0:8080' }, '0.0.0.0', 8080],
  [{ TOLLAMA_HOST: '[::1]:9' }, '::1', 9],
  [{ TOLLAMA_PORT: '1234' }, '127.0.0.1', 1234],
  [{ TOLLAMA_HOST: 'localhost:1', TOLLAMA_PORT: '2' }, 'localhost', 1],
])('%j binds %s:%i', (env, host, port) => {
  expect(readSettings(env)).toMatchObject({ host, port });
});

test.each([{ TOLLAMA_HOST: 'localhost' }, { TOLLAMA_HOST: 'a:b' }, { TOLLAMA_PORT: '99999' }])(
  '%j is refused by name',
  (env) => {
    const [name, value] = Object.entries(env)[0]!;
    expect(() => readSettings(env)).toThrow(`${name}='${value}' is not valid`);
  },
);

test.each(['abc', '0', '-5', ''])('a timeout of %j falls back to the default', (value) => {
  expect(readSettings({ TOLLAMA_FORECAST_TIMEOUT_SECONDS: value }).forecastTimeoutMs).toBe(300_000);
});

test('tokens are told as present or absent', () => {
  expect(tokensPresent({ HF_TOKEN: 'x' })).toMatchObject({
    HF_TOKEN_present: true,
    TOLLAMA_HF_TOKEN_present: false,
  });
});
