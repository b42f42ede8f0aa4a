import { expect, test } from 'vitest';
import { defineGraph, parametersOf } from '../graph.ts';
import type { Tensor } from '../node.ts';
import { add, affine, constant, input, mul, parameter, tanh } from '../ops.ts';
import type { Checkpoint } from '../safetensors/checkpoint.ts';
import { scan } from '../scan.ts';
import type { TensorValue } from '../session/feeds.ts';
import { evaluate, numbersOf } from '../testing/run-graph.ts';
import { verifyGraph } from '../verify.ts';
import { quantizeGraph } from './quantize.ts';

const WIDTH = 80;
const weight = parameter('weight', [WIDTH, WIDTH], 'float32');
const small = parameter('small', [WIDTH], 'float32');
const xs = input('xs', ['steps', 'n', WIDTH]);

/** A loop around a loop, each with the layer; `small` is a bias. */
const looped = (): Tensor[] => {
  const { states, outputs } = scan([mul(constant(0), 1)], [xs], ([count], [x]) => {
    const inner = scan([mul(count!, 0)], [x!], ([sum], [row]) => {
      const y = affine(row!, weight, small);
      return { states: [add(sum!, 1)], outputs: [tanh(y)] };
    });
    const y = affine(inner.outputs[0]!, weight);
    return { states: [add(count!, inner.states[0]!)], outputs: [y] };
  });
  return [outputs[0]!, states[0]!];
};

const filled = (dims: readonly number[], size: number): TensorValue => {
  const length = dims.reduce((a, b) => a * b);
  const data = Float32Array.from({ length }, (_, i) => size * Math.sin(i * i));
  return { dtype: 'float32', dims, data };
};

test('layers within loops become integers, and all results of a loop stay together', () => {
  const [y, count] = looped() as [Tensor, Tensor];
  const { graph } = quantizeGraph(defineGraph('loops', [xs], { y, count }), {} as Checkpoint);
  verifyGraph(graph);
  expect(
    parametersOf(graph)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(['small', 'weight.int8', 'weight.scale']);
  const bodies = graph.nodes.flatMap((node) => (node.kind === 'scan' ? [node.body] : []));
  expect(new Set(bodies).size).toBe(1);
});

test('they compute nearly the same', async () => {
  const parameters = { weight: filled([WIDTH, WIDTH], 0.2), small: filled([WIDTH], 0.1) };
  const feeds = { xs: filled([2, 3, WIDTH], 1) };
  const [y, count] = looped() as [Tensor, Tensor];
  const exact = numbersOf(await evaluate(y, feeds, { parameters }));
  const int8 = numbersOf(await evaluate(y, feeds, { parameters, precision: 'int8' }));
  const square = (values: readonly number[]): number => values.reduce((a, x) => a + x * x, 0);
  const error = square(int8.map((value, i) => value - exact[i]!));
  expect(Math.sqrt(error / square(exact))).toBeLessThan(0.03);
  const counted = await evaluate(count, feeds, { parameters, precision: 'int8' });
  expect(numbersOf(counted)).toEqual([6]);
});
