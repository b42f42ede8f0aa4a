import { expect, test } from 'vitest';
import { symbol } from './dimension.ts';
import { defineGraph } from './graph.ts';
import { add, affine, exp, input, mul, parameter, reshape } from './ops.ts';
import { peakBytes } from './peak-bytes.ts';

const at = (batch: number) => new Map([['batch', batch]]);

test('a chain holds its input, and two tensors at a time', () => {
  const x = input('x', ['batch', 10]);
  const y = exp(exp(exp(exp(x))));
  expect(peakBytes(defineGraph('chain', [x], { y }), at(7))).toBe(3 * 7 * 10 * 4);
});

test('what is used late is held until then; parameters and views cost nothing', () => {
  const x = input('x', ['batch', 10]);
  const early = exp(x);
  const late = add(exp(exp(early)), reshape(early, [symbol('batch'), 10]));
  const wide = affine(late, parameter('w', [100, 10], 'float32'));
  const graph = defineGraph('late', [x], { y: mul(wide, 2) });
  // x and the last sum, with the wide tensor and its double.
  expect(peakBytes(graph, at(3))).toBe(3 * 4 * (10 + 100 + 100));
  expect(peakBytes(graph, at(300))).toBe(100 * peakBytes(graph, at(3)));
});
