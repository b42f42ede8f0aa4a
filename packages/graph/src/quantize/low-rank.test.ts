import { expect, test } from 'vitest';
import { defineGraph, parametersOf } from '../graph.ts';
import { add, affine, input, matmul, mul, parameter } from '../ops.ts';
import type { Checkpoint } from '../safetensors/checkpoint.ts';
import type { TensorValue } from '../session/feeds.ts';
import { evaluate, numbersOf } from '../testing/run-graph.ts';
import { quantizeGraph } from './quantize.ts';

const WIDTH = 96;
const OUT = 80;

const filled = (dims: readonly number[], size: number): TensorValue => {
  const length = dims.reduce((a, b) => a * b);
  const data = Float32Array.from({ length }, (_, i) => size * Math.sin(i * i));
  return { dtype: 'float32', dims, data };
};

const weight = parameter('weight', [OUT, WIDTH], 'float32');
const a = parameter('a', [2, WIDTH], 'float32');
const b = parameter('b', [OUT, 2], 'float32');
const x = input('x', ['n', WIDTH]);
const adapted = affine(x, add(weight, mul(matmul(b, a), 3)));

test('a weight with an update of low rank keeps it beside the integers', () => {
  const { graph } = quantizeGraph(defineGraph('adapted', [x], { y: adapted }), {} as Checkpoint);
  expect(parametersOf(graph).map(({ name }) => name)).toEqual([
    'weight.int8',
    'weight.scale',
    'a',
    'b',
  ]);
});

test('the update is exact whatever the weight is', async () => {
  const parameters = {
    weight: filled([OUT, WIDTH], 0),
    a: filled([2, WIDTH], 1),
    b: filled([OUT, 2], 1),
  };
  const feeds = { x: filled([3, WIDTH], 1) };
  const exact = numbersOf(await evaluate(adapted, feeds, { parameters }));
  const int8 = numbersOf(await evaluate(adapted, feeds, { parameters, precision: 'int8' }));
  int8.forEach((value, i) => {
    expect(value).toBeCloseTo(exact[i]!, 3);
  });
});
