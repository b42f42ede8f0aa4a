/** Derivatives against differences of the function itself, through onnxruntime. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defineGraph } from '../graph.ts';
import type { Tensor } from '../node.ts';
import * as ops from '../ops.ts';
import { rearrange } from '../rearrange.ts';
import { scan } from '../scan.ts';
import { openSession } from '../session/session.ts';
import { tensorOf } from '../testing/run-graph.ts';
import { exposeLayers } from './composition.ts';
import { gradient, pullBack, reaches } from './gradient.ts';

const { sin } = Math;
const waves = (count: number, seed: number): number[] =>
  Array.from({ length: count }, (_, i) => 0.9 * sin(1.7 * i + seed) + 0.3 * sin(i * i + seed));

interface Shaped {
  readonly shape: readonly number[];
  /** The first size is declared as a symbol. */
  readonly isBatched?: boolean;
  readonly shift?: number;
}

const SYMBOL = 'batch';
const STEP = 1e-2;
/** Where a slope jumps: small enough to stay on one side of it. */
const SHORT_STEP = 5e-4;

/** A scalar of the result: its sum weighted by numbers of all sizes. */
const scalarOf = (y: Tensor): Tensor => {
  const rows = y.shape.reduce<Tensor>((x, _, axis) => ops.sum(x, axis, { keepAxes: true }), y);
  const whole = ops.add(y, ops.mul(ops.mul(y, y), 0.3));
  return ops.add(
    ops.mean(
      whole,
      y.shape.map((_, i) => i),
    ),
    ops.mul(ops.reshape(rows, []), 0.1),
  );
};

/** Compares gradient . direction with the difference along the direction, for each operand. */
const checkGradient = async (
  build: (...x: Tensor[]) => Tensor,
  shapes: readonly Shaped[],
  seed: number,
  step = STEP,
): Promise<void> => {
  const inputs = shapes.map(({ shape, isBatched }, i) =>
    ops.input(`x${i}`, isBatched ? [SYMBOL, ...shape.slice(1)] : shape),
  );
  const loss = scalarOf(build(...inputs));
  const gradients = gradient(loss, inputs);
  const named = Object.fromEntries(gradients.map((g, i) => [`g${i}`, g ?? ops.mul(inputs[i]!, 0)]));
  await using session = await openSession(defineGraph('check', inputs, { loss, ...named }), {
    threads: 1,
  });
  const sizes = shapes.map(({ shape }) => shape.reduce((a, b) => a * b, 1));
  const base = shapes.map(({ shift = 0 }, i) => waves(sizes[i]!, seed + i).map((x) => x + shift));
  const run = (values: readonly (readonly number[])[]) =>
    session.run(Object.fromEntries(values.map((x, i) => [`x${i}`, tensorOf(shapes[i]!.shape, x)])));
  const results = await run(base);
  for (const i of shapes.keys()) {
    const direction = waves(sizes[i]!, seed + 7 + i);
    const moved = async (by: number): Promise<number> => {
      const values = base.with(
        i,
        base[i]!.map((x, k) => x + by * direction[k]!),
      );
      return Number((await run(values)).loss!.data[0]);
    };
    const slope = async (by: number): Promise<number> =>
      ((await moved(by)) - (await moved(-by))) / (2 * by);
    // Richardson: the error that grows with the square of the step goes.
    const difference = (4 * (await slope(step)) - (await slope(2 * step))) / 3;
    const data = results[`g${i}`]!.data as Float32Array;
    expect(results[`g${i}`]!.dims).toEqual(shapes[i]!.shape);
    const product = data.reduce((sum, g, k) => sum + g * direction[k]!, 0);
    expect(Math.abs(product - difference)).toBeLessThan(4e-3 * (1 + Math.abs(difference)));
  }
};

const X: Shaped = { shape: [2, 3, 4], isBatched: true };
const POSITIVE: Shaped = { ...X, shift: 2 };
const int64 = (values: readonly number[], shape: readonly number[]) =>
  ops.constant(values, 'int64', shape);

type Rule = readonly [name: string, build: (...x: Tensor[]) => Tensor, shapes: readonly Shaped[]];

const ELEMENTWISE: readonly Rule[] = [
  ['neg', ops.neg, [X]],
  ['exp', ops.exp, [X]],
  ['tanh', ops.tanh, [X]],
  ['sigmoid', ops.sigmoid, [X]],
  ['erf', ops.erf, [X]],
  ['sin', ops.sin, [X]],
  ['cos', ops.cos, [X]],
  ['sinh', ops.sinh, [X]],
  ['asinh', ops.asinh, [X]],
  ['softplus', ops.softplus, [X]],
  ['gelu', ops.gelu, [X]],
  ['geluTanh', ops.geluTanh, [X]],
  ['silu', ops.silu, [X]],
  // Where the slope has no jump.
  ['log', ops.log, [POSITIVE]],
  ['sqrt', ops.sqrt, [POSITIVE]],
  ['reciprocal', ops.reciprocal, [POSITIVE]],
  ['abs', ops.abs, [POSITIVE]],
  ['relu', ops.relu, [POSITIVE]],
  ['selu', ops.selu, [POSITIVE]],
  ['selu below 0', ops.selu, [{ ...X, shift: -2 }]],
  ['add', ops.add, [X, { shape: [3, 1] }]],
  ['sub', ops.sub, [{ shape: [4] }, X]],
  ['mul', ops.mul, [X, { shape: [2, 1, 4], isBatched: true }]],
  ['div', ops.div, [X, { shape: [3, 4], shift: 3 }]],
  ['pow', ops.pow, [POSITIVE, { shape: [4] }]],
  ['minimum', ops.minimum, [X, { ...X, shift: 0.05 }]],
  ['maximum', ops.maximum, [X, { shape: [1], shift: 0.05 }]],
  [
    'mod',
    (x, y) => ops.mod(x, y),
    [
      { shape: [4], shift: 5.5 },
      { shape: [1], shift: 4 },
    ],
  ],
  ['where', (x, y) => ops.where(ops.greater(x, 0.05), ops.sin(x), y), [X, { shape: [3, 1] }]],
  ['clip', (x) => ops.clip(x, -0.55, 0.65), [X]],
];

const LAYOUT: readonly Rule[] = [
  ['sum', (x) => ops.sum(x, [0, 2]), [X]],
  ['mean over a symbol', (x) => ops.mean(x, [0, 1]), [X]],
  ['max', (x) => ops.max(x, 1, { keepAxes: true }), [X]],
  ['min', (x) => ops.min(x, [1, 2]), [X]],
  ['reshape', (x) => rearrange(x, 'b (c d) e -> (b c) d e', { c: 3 }), [X]],
  ['transpose', (x) => ops.transpose(x, [2, 0, 1]), [X]],
  ['broadcast', (x) => ops.broadcast(x, [5, 3, 4]), [{ shape: [3, 1] }]],
  ['concat', (x, y) => ops.concat([x, y, x], 1), [X, { shape: [2, 2, 4], isBatched: true }]],
  ['slice', (x) => ops.slice(x, 1, { start: 1, end: 2 }), [X]],
  ['slice with a step', (x) => ops.slice(x, 2, { start: 1, step: 2 }), [X]],
  ['slice with a wide step', (x) => ops.slice(x, 1, { end: 5, step: 3 }), [{ shape: [2, 7] }]],
  ['take', (x) => ops.take(x, int64([1, 1, 0, 2], [2, 2]), 1), [X]],
  ['takeAlong', (x) => ops.takeAlong(x, int64([1, 1, 0, 2], [2, 2]), 1), [{ shape: [2, 3] }]],
  ['pad', (x) => ops.pad(x, 1, 2, 1), [X]],
  [
    'scatterAdd',
    (x) => ops.scatterAdd(x, int64([1, 1, 0, 2, 2, 2], [2, 3]), 1, 4),
    [{ shape: [2, 3] }],
  ],
  ['cumulativeSum', (x) => ops.cumulativeSum(x, 2), [X]],
  ['reverse cumulativeSum', (x) => ops.cumulativeSum(x, 1, { isReverse: true }), [X]],
  ['top', (x) => ops.top(x, 2).values, [X]],
  ['cast', (x) => ops.cast(ops.cast(x, 'float64'), 'float32'), [X]],
];

const memory = { heads: 2 };
const angles = ops.constant([0.3, -0.7, 1.1], 'float32', [3, 1]);

const LAYERS: readonly Rule[] = [
  ['matmul', (a, b) => ops.matmul(a, b), [X, { shape: [4, 5] }]],
  ['matmul transposed', (a, b) => ops.matmul(a, b, { transposeB: true }), [X, { shape: [5, 4] }]],
  [
    'matmul in batches',
    (a, b) => ops.matmul(a, b),
    [{ shape: [2, 1, 3, 4] }, { shape: [3, 4, 2] }],
  ],
  ['affine', ops.affine, [X, { shape: [5, 4] }, { shape: [5] }]],
  ['softmax', (x) => ops.softmax(x, 1), [X]],
  ['rmsNormalize', (x, g) => ops.rmsNormalize(x, g, 1e-3), [X, { shape: [4] }]],
  [
    'layerNormalize',
    (x, g, b) => ops.layerNormalize(x, g, b, 1e-3),
    [X, { shape: [4] }, { shape: [4] }],
  ],
  [
    'conv1d',
    (x, w, b) => ops.conv1d(x, w, { bias: b, padding: [2, 1], dilation: 2, groups: 3 }),
    [{ shape: [2, 3, 6], isBatched: true }, { shape: [6, 1, 3] }, { shape: [6] }],
  ],
  [
    'conv1d with a stride',
    (x, w) => ops.conv1d(x, w, { stride: 2 }),
    [{ shape: [2, 3, 8] }, { shape: [4, 3, 3] }],
  ],
  [
    'attend',
    (q, k, v, bias) => ops.attend(q, k, v, { ...memory, bias }),
    [
      X,
      { shape: [2, 5, 4], isBatched: true },
      { shape: [2, 5, 6], isBatched: true },
      { shape: [1, 2, 3, 5] },
    ],
  ],
  [
    'attend to what follows from the query',
    (x, w) => ops.attend(x, ops.affine(x, w), ops.tanh(ops.affine(x, w)), memory),
    [X, { shape: [4, 4] }],
  ],
  [
    'turnPairs',
    (x) => ops.turnPairs(x, ops.cos(angles), ops.sin(angles), { heads: 2, pairs: 'halves' }),
    [X],
  ],
];

/** Gates, a state that is only handed on, an outer weight, and a sequence. */
const recurrent = (xs: Tensor, h0: Tensor, w: Tensor): Tensor => {
  const count = ops.constant(0);
  const { states, outputs } = scan([h0, count], [xs], ([h, n], [x]) => {
    const next = ops.tanh(ops.add(ops.affine(h!, w), x!));
    return { states: [next, ops.add(n!, 1)], outputs: [ops.mul(next, x!)] };
  });
  return ops.add(ops.mean(outputs[0]!, 0), ops.mul(states[0]!, ops.sin(h0)));
};

const LOOPS: readonly Rule[] = [
  [
    'scan',
    recurrent,
    [{ shape: [5, 2, 3], isBatched: true }, { shape: [2, 3] }, { shape: [3, 3] }],
  ],
  [
    'scan whose sequence follows from the outer weight',
    (xs, h0, w) => recurrent(ops.affine(xs, w), h0, w),
    [{ shape: [4, 2, 3] }, { shape: [2, 3] }, { shape: [3, 3] }],
  ],
];

const WITH_JUMPS = /max|min|top|where|clip|mod/;
const REPEATS = { numRuns: 3 };
const seeds = fc.integer({ min: 0, max: 1000 }).map((seed) => seed / 100);

describe.each([
  ['elementwise', ELEMENTWISE],
  ['layout', LAYOUT],
  ['layers', LAYERS],
  ['loops', LOOPS],
])('%s', (_, rules) => {
  test.each(rules)('%s', async (name, build, shapes) => {
    if (WITH_JUMPS.test(name)) return checkGradient(build, shapes, 0.4, SHORT_STEP);
    const property = fc.asyncProperty(seeds, (seed) => checkGradient(build, shapes, seed));
    await fc.assert(property, REPEATS);
  });
});

type Layer = (x: Tensor, w: Tensor) => Tensor;

const STACK: readonly Layer[] = [
  (x, w) => ops.affine(x, w),
  (x) => ops.gelu(x),
  (x, w) => ops.rmsNormalize(x, ops.mean(w, 0), 1e-2),
  (x, w) => ops.attend(x, ops.affine(x, w), x, memory),
  (x) => ops.softmax(x),
  (x) => ops.add(x, ops.cumulativeSum(x, 1)),
  (x) => ops.concat([ops.slice(x, 1, { start: 1 }), ops.slice(x, 1, { end: 1 })], 1),
  (x, w) => ops.mul(x, ops.reshape(ops.slice(w, 0, { end: 1 }), [4])),
];

test('stacks of layers, with and without their insides exposed', async () => {
  const stacks = fc.array(fc.constantFrom(...STACK), { minLength: 2, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(stacks, seeds, async (layers, seed) => {
      const build: Layer = (x, w) => layers.reduce((y, layer) => ops.add(layer(y, w), x), x);
      const exposed: Layer = (x, w) => {
        const graph = exposeLayers(defineGraph('stack', [x, w], { y: build(x, w) }));
        return graph.outputs.get('y')!;
      };
      await checkGradient(build, [X, { shape: [4, 4] }], seed);
      await checkGradient(exposed, [X, { shape: [4, 4] }], seed);
    }),
    { numRuns: 12 },
  );
});

test('a stop-gradient ends the path, and the structure says so', () => {
  const [x, w] = [ops.input('x', [3]), ops.input('w', [3])];
  const loss = ops.sum(ops.mul(ops.stopGradient(ops.mul(x, w)), w), 0);
  const [dx, dw] = gradient(loss, [x, w]);
  expect(dx).toBeUndefined();
  expect(dw?.kind).toBe('binary');
  expect([reaches(loss, x), reaches(loss, w)]).toEqual([false, true]);
  const stepped = ops.sum(ops.cast(ops.cast(x, 'int64'), 'float32'), 0);
  expect(gradient(stepped, [x])).toEqual([undefined]);
});

test('refuses what has no derivative, by name', () => {
  const x = ops.input('x', [2, 4]);
  const q = ops.quantizedAffine(x, ops.constant([1, 1, 1, 1], 'int8', [4, 1]), ops.constant([1]));
  expect(() => gradient(ops.sum(q, [0, 1]), [x])).toThrow('quantizedLinear has no derivative');
  expect(() => gradient(x, [x])).toThrow('the loss is float32[2, 4], not a float scalar');
  const wrong = [{ output: x, gradient: ops.constant(1) }];
  expect(() => pullBack(wrong, [x])).toThrow('[] for a value [2, 4]');
  const grown = scan(
    [ops.input('s', [2, 0])],
    [x],
    ([s], [e]) => ({
      states: [ops.concat([s!, ops.reshape(ops.slice(e!, 0, { end: 2 }), [2, 1])], 1)],
      outputs: [],
    }),
    { steps: 'done', axes: [1] },
  );
  expect(() => gradient(ops.sum(grown.states[0]!, [0, 1]), [x])).toThrow('its states grow');
});
