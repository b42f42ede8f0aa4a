import { TollamaError } from '@tollama/core/errors';
import { describe, expect, test } from 'vitest';
import { multiplyDims, symbol } from './dimension.ts';
import { defineGraph, type Graph, parametersOf, rewriteGraph } from './graph.ts';
import type { Node, Tensor } from './node.ts';
import * as ops from './ops.ts';
import { verifyGraph } from './verify.ts';

const x = ops.input('x', ['batch', 4]);
const doubled = ops.mul(x, 2);
const sound = defineGraph('sound', [x], { y: doubled });

const broken = (change: Partial<Graph>): Graph => ({ ...sound, ...change });
const forged = (node: Node, change: Partial<Node>): Node => ({ ...node, ...change }) as Node;

test('a sound graph comes back', () => {
  expect(verifyGraph(sound)).toBe(sound);
});

const wrongShape = forged(doubled, { shape: [4, 4] });
const wrongType = forged(doubled, { dtype: 'int64' });
const twin = ops.input('x', ['batch', 4]);
const named = [
  ops.parameter('w', [2], 'float32'),
  ops.parameter('w', [3], 'float32'),
  ops.parameter('w', [2], 'float32'),
] as const;
const product = ops.input('flat', [multiplyDims(symbol('a'), symbol('b'))]);

describe('verify refuses', () => {
  test.each<[string, () => Graph, string]>([
    [
      'a node before its input',
      () => broken({ nodes: sound.nodes.toReversed() }),
      "graph 'sound': node %0 (binary) comes before its input",
    ],
    [
      'a forged shape',
      () => broken({ nodes: [...sound.nodes.slice(0, -1), wrongShape] }),
      'node %2 (binary) is float32[4, 4], inference says float32[batch, 4]',
    ],
    [
      'a forged type',
      () => broken({ nodes: [...sound.nodes.slice(0, -1), wrongType] }),
      'is int64[batch, 4], inference says float32[batch, 4]',
    ],
    [
      'an output that is not computed',
      () => broken({ outputs: new Map([['y', ops.exp(x)]]) }),
      "output 'y' is not among the nodes",
    ],
    [
      'a size that no input tells',
      () => defineGraph('g', [], { y: ops.iota(symbol('n')) }),
      "node %0 (iota) has the dimension 'n', which no input tells",
    ],
    [
      'sizes that only their product tells',
      () => defineGraph('g', [product], { y: product }),
      "has the dimension 'a', which no input tells",
    ],
    [
      'two inputs of one name',
      () => defineGraph('g', [x, twin], { y: ops.add(x, twin) }),
      "two tensors are called 'x'",
    ],
    [
      'one parameter in two shapes',
      () => defineGraph('g', [], { a: named[0], b: named[1] }),
      "two tensors are called 'w'",
    ],
  ])('%s', (_, graph, message) => {
    expect(() => verifyGraph(graph())).toThrow(message);
  });

  test('nothing about one parameter that is named twice', () => {
    verifyGraph(defineGraph('g', [], { a: named[0], b: named[2] }));
  });
});

const f = (shape: readonly (number | string)[], dtype?: Tensor['dtype']) =>
  ops.input('t', shape, dtype);

describe('inference refuses', () => {
  test.each<[string, () => unknown, string]>([
    [
      'shapes apart',
      () => ops.add(f([2, 3]), f([4])),
      'add: shapes [2, 3] and [4] do not broadcast',
    ],
    ['symbols apart', () => ops.add(f(['a']), f(['b'])), 'shapes [a] and [b] do not broadcast'],
    ['types apart', () => ops.add(f([2]), f([2], 'int64')), 'add: expected float32, got int64'],
    ['two numbers', () => ops.add(1, 2), 'one operand must be a tensor'],
    ['arithmetic of bool', () => ops.add(f([2], 'bool'), f([2], 'bool')), 'expected numbers'],
    ['logic of numbers', () => ops.and(f([2]), f([2])), 'and: expected bool, got float32'],
    ['a root of int64', () => ops.sqrt(f([2], 'int64')), 'sqrt: expected a float type, got int64'],
    ['not of a number', () => ops.not(f([2])), 'not: expected bool'],
    ['a condition of numbers', () => ops.where(f([2]), 1, f([2])), 'where: expected bool'],
    ['a missing axis', () => ops.sum(f([2]), 1), 'sum: axis 1 is outside of [2]'],
    [
      'an axis twice',
      () => ops.sum(f([2, 2]), [1, -1]),
      'axes [1,1] must be one or more, each once',
    ],
    ['no axis', () => ops.mean(f([2]), []), 'axes [] must be one or more'],
    ['a reshape that loses', () => ops.reshape(f([2, 3]), [5]), '[2, 3] does not fill [5]'],
    ['a lame permutation', () => ops.transpose(f([2, 3]), [1, 1]), '[1,1] is no permutation'],
    ['a lame broadcast', () => ops.broadcast(f([2]), [3]), 'do not broadcast'],
    ['a broadcast that shrinks', () => ops.broadcast(f([3]), [1]), '[3] does not broadcast to [1]'],
    ['nothing to join', () => ops.concat([], 0), 'concat: no inputs'],
    ['joints apart', () => ops.concat([f([2, 3]), f([2, 4])], 0), '[2, 4] does not join [2, 3]'],
    ['a slice past the end', () => ops.slice(f([4]), 0, { end: 5 }), 'slice: 0:5:1 is no range'],
    ['a slice backwards', () => ops.slice(f([4]), 0, { start: 3, end: 2 }), '3:2:1 is no range'],
    ['a slice from the end', () => ops.slice(f([4]), 0, { start: -1 }), '-1:4:1 is no range'],
    ['a step of nothing', () => ops.slice(f([4]), 0, { step: 0 }), '0:4:0 is no range'],
    ['a free slice with a step', () => ops.slice(f(['n']), 0, { step: 2 }), 'no multiple of 2'],
    ['float indices', () => ops.take(f([2]), f([1])), 'take: expected int64, got float32'],
    ['too many of the top', () => ops.top(f([2]), 3), 'top: 3 of 2 elements'],
    ['none of the top', () => ops.top(f([2]), 0), 'top: 0 of 2 elements'],
    ['vectors as matrices', () => ops.matmul(f([2]), f([2])), 'must be matrices'],
    ['a lame chain', () => ops.matmul(f([2, 3]), f([2, 3])), 'do not chain'],
    ['a lame linear', () => ops.affine(f([2, 3]), f([4, 5])), 'last axis of [2, 3] must be 5'],
    [
      'a lame bias',
      () => ops.affine(f([2, 5]), f([4, 5]), f([5])),
      'linear: bias: [5] must be [4]',
    ],
    [
      'types apart in a layer',
      () => ops.affine(f([2, 5]), f([4, 5], 'bfloat16')),
      'linear: expected float32, got bfloat16',
    ],
    [
      'a filter of other channels',
      () => ops.conv1d(f([1, 3, 9]), f([2, 4, 3])),
      'weight [2, 4, 3] does not fit [1, 3, 9]',
    ],
    [
      'a filter wider than the signal',
      () => ops.conv1d(f([1, 3, 2]), f([2, 3, 4])),
      '[1, 3, 2] is shorter than 4 steps',
    ],
    ['a lame gain', () => ops.rmsNormalize(f([2, 3]), f([2]), 1), 'rmsNorm: gain: [2] must be [3]'],
    [
      'heads that do not split',
      () => ops.attend(f([1, 2, 6]), f([1, 2, 6]), f([1, 2, 6]), { heads: 4 }),
      'width 6 does not split into 4 heads',
    ],
    [
      'keys of another batch',
      () => ops.attend(f([1, 2, 6]), f([2, 2, 6]), f([2, 2, 6]), { heads: 2 }),
      'do not match',
    ],
    [
      'a bias that does not spread',
      () =>
        ops.attend(f([1, 2, 6]), f([1, 3, 6]), f([1, 3, 6]), { heads: 2, bias: f([1, 1, 3, 3]) }),
      'do not broadcast',
    ],
    ['a constant of other size', () => ops.constant([1, 2, 3], 'float32', [2]), '3 values do not'],
    ['an input made of something', () => defineGraph('g', [ops.exp(x)], {}), 'unary is no input'],
    ['an undeclared input', () => defineGraph('g', [], { y: x }), "input 'x' is not declared"],
  ])('%s', (_, make, message) => {
    let thrown: unknown;
    try {
      make();
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(TollamaError);
    expect((thrown as TollamaError).message).toContain(message);
    expect((thrown as TollamaError).code).toBe('GRAPH_INVALID');
  });
});

test('a graph as deep as memory allows is walked without recursion', () => {
  let y: Tensor = x;
  for (let i = 0; i < 20_000; i++) y = ops.neg(y);
  expect(verifyGraph(defineGraph('deep', [x], { y })).nodes).toHaveLength(20_001);
});

test('a rewrite keeps what it does not touch, and shares what was shared', () => {
  const w = ops.parameter('w', [4], 'float32');
  const shared = ops.add(x, w);
  const graph = defineGraph('g', [x], { a: ops.exp(shared), b: ops.neg(shared) });
  const same = rewriteGraph(graph, (node, inputs) => ops.withInputs(node, inputs));
  expect(same.nodes).toEqual(graph.nodes);
  const renamed = rewriteGraph(graph, (node, inputs) =>
    node === w ? ops.parameter('v', [4], 'float32') : ops.withInputs(node, inputs),
  );
  expect(parametersOf(verifyGraph(renamed)).map(({ name }) => name)).toEqual(['v']);
  expect(renamed.nodes).toHaveLength(graph.nodes.length);
});
