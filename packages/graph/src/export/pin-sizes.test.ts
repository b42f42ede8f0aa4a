import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { addDims, evaluateDim, multiplyDims, symbol } from '../dimension.ts';
import { defineGraph } from '../graph.ts';
import { input } from '../ops.ts';
import { pinDim, sizesOfFeeds } from './pin-sizes.ts';

const size = fc.integer({ min: 0, max: 50 });

test.prop([size, size, size])('pinning all symbols gives what the formula gives', (a, b, c) => {
  const dim = addDims(multiplyDims(3, symbol('a'), symbol('b')), symbol('a'), c);
  const sizes = new Map([
    ['a', a],
    ['b', b],
  ]);
  expect(pinDim(dim, sizes)).toBe(evaluateDim(dim, sizes));
});

test('symbols without a number stay', () => {
  const dim = multiplyDims(16, symbol('batch'), symbol('patches'));
  const half = pinDim(dim, new Map([['batch', 2]]));
  expect(half).toMatchObject({ text: '32*patches' });
});

test('sizes are read off what was fed', () => {
  const x = input('x', ['batch', addDims(multiplyDims(16, symbol('patches')), 3)]);
  const graph = defineGraph('g', [x], { y: x });
  const feeds = { x: { dtype: 'float32', dims: [2, 51], data: new Float32Array(102) } } as const;
  expect([...sizesOfFeeds(graph, feeds)]).toEqual([
    ['batch', 2],
    ['patches', 3],
  ]);
});
