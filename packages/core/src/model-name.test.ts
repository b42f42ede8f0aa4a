import { describe, expect, test } from 'vitest';
import { checkModelName, parseHubReference } from './model-name.ts';

describe('hub references', () => {
  test.each([
    ['amazon/chronos-bolt-tiny', { repoId: 'amazon/chronos-bolt-tiny', revision: 'main' }],
    ['hf.co/a/b@v1', { repoId: 'a/b', revision: 'v1' }],
    ['https://huggingface.co/a/b.c@512-96-r2', { repoId: 'a/b.c', revision: '512-96-r2' }],
    ['mock', undefined],
    ['../x', undefined],
    ['a/b/c', undefined],
    ['a/../b', undefined],
  ])('%s', (text, expected) => {
    expect(parseHubReference(text)).toEqual(expected);
  });
});

test.each(['../x', 'a/b', '.hidden', 'a b', '', 'x'.repeat(300)])(
  'the name %j is refused',
  (name) => {
    expect(() => checkModelName(name)).toThrow(`invalid model name: '${name}'`);
  },
);
