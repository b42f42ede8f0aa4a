import { describe, expect, test } from 'vitest';
import { checkModelName, isModelName, parseHubReference, withoutLatest } from './model-name.ts';

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

test.each(['../x', 'a/b', '.hidden', 'a b', '', 'a:latest'])('the name %j is refused', (name) => {
  expect(() => checkModelName(name)).toThrow(`invalid model name: '${name}'`);
});

test('a name that no file system takes is refused, and not told whole', () => {
  expect(isModelName('x'.repeat(200))).toBe(true);
  expect(isModelName('x'.repeat(201))).toBe(false);
  expect(() => checkModelName('x'.repeat(3000))).toThrow(/^invalid model name: 'x{40}\.\.\.'$/);
});

test('latest is the model itself', () => {
  expect(['a:latest', 'a', 'a:sales'].map(withoutLatest)).toEqual(['a', 'a', 'a:sales']);
});
