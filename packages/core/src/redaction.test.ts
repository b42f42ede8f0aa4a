import { expect, test } from 'vitest';
import { redact } from './redaction.ts';

test('secrets are masked wherever they are, proxies lose their login', () => {
  const config = {
    pull: { https_proxy: 'http://user:pass@proxy:8080', http_proxy: 'key@proxy', no_proxy: null },
    auth: { api_keys: ['a', 'b'], Authorization: 'Bearer x' },
    HF_TOKEN: 'secret',
    HF_TOKEN_present: true,
    nested: [{ password: 'x', name: 'kept' }],
    defaults: { http_proxy: { value: 'http://user:pass@proxy', source: 'env' } },
  };
  expect(redact(config)).toEqual({
    pull: { https_proxy: 'http://***:***@proxy:8080', http_proxy: '***@proxy', no_proxy: null },
    auth: { api_keys: '***', Authorization: '***' },
    HF_TOKEN: '***',
    HF_TOKEN_present: true,
    nested: [{ password: '***', name: 'kept' }],
    defaults: { http_proxy: { value: 'http://***:***@proxy', source: 'env' } },
  });
});
