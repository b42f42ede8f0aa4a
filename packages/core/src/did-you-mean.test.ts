import { expect, test } from 'vitest';
import { didYouMean } from './did-you-mean.ts';

const known = ['serve', 'run', 'pull', 'list', 'chronos-bolt-small'];

test.each([
  ['serv', 'serve'],
  ['pul', 'pull'],
  ['lsit', 'list'],
  ['chronos-blot-small', 'chronos-bolt-small'],
  ['frobnicate', undefined],
  ['', undefined],
])('%j -> %j', (typed, expected) => {
  expect(didYouMean(typed, known)).toBe(expected);
});
