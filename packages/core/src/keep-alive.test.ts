import { expect, test } from 'vitest';
import { parseKeepAlive } from './keep-alive.ts';

test.each([
  [undefined, { kind: 'forever' }],
  [null, { kind: 'forever' }],
  [90, { kind: 'seconds', seconds: 90 }],
  ['90', { kind: 'seconds', seconds: 90 }],
  ['5m', { kind: 'seconds', seconds: 300 }],
  ['1.5h', { kind: 'seconds', seconds: 5400 }],
  ['1h30m', { kind: 'seconds', seconds: 5400 }],
  ['5m0s', { kind: 'seconds', seconds: 300 }],
  ['500ms', { kind: 'seconds', seconds: 0.5 }],
  ['10 m', { kind: 'seconds', seconds: 600 }],
  ['-1h30m', { kind: 'forever' }],
  ['1d', { kind: 'seconds', seconds: 86_400 }],
  [0, { kind: 'seconds', seconds: 0 }],
  [-1, { kind: 'forever' }],
  [1e300, { kind: 'forever' }],
  ['-5m', { kind: 'forever' }],
])('%j', (value, expected) => {
  expect(parseKeepAlive(value)).toEqual(expected);
});

test.each([
  ['banana'],
  ['1h30'],
  ['m'],
  ['1h 30m'],
  ['5 weeks'],
  [''],
  [[1]],
  [true],
  [Number.NaN],
  [Number.POSITIVE_INFINITY],
])('refuses %j by name', (value) => {
  expect(() => parseKeepAlive(value)).toThrow('invalid keep_alive');
});
