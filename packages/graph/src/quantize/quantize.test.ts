import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { defineGraph, type Graph, parametersOf } from '../graph.ts';
import type { Tensor } from '../node.ts';
import * as ops from '../ops.ts';
import { printGraph } from '../print.ts';
import type { TensorValue } from '../session/feeds.ts';
import {
  numbersOf,
  type RunGraphOptions,
  runGraph,
  tensorOf,
  withFolder,
  writeCheckpoint,
} from '../testing/run-graph.ts';
import { verifyGraph } from '../verify.ts';
import { quantizeGraph } from './quantize.ts';
import { quantizeRows } from './rows.ts';

/** Normally distributed numbers (Box & Muller 1958) from a seed. */
const normal = (count: number, seed: number): number[] => {
  let state = seed * 2654435761 + 1;
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
};

const normalTensor = (dims: readonly number[], seed: number): TensorValue =>
  tensorOf(
    dims,
    normal(
      dims.reduce((a, b) => a * b, 1),
      seed,
    ),
  );

/** |got - wanted| / |wanted| over all values. */
const relativeError = (got: readonly number[], wanted: readonly number[]): number => {
  const square = (values: readonly number[]): number =>
    values.reduce((total, value) => total + value * value, 0);
  return Math.sqrt(square(got.map((value, i) => value - wanted[i]!)) / square(wanted));
};

interface Layer {
  readonly xDims: readonly number[];
  readonly out: number;
  readonly hasBias: boolean;
}

/** The output of one linear layer in both precisions. */
const both = async (
  { xDims, out, hasBias }: Layer,
  seed: number,
  options: RunGraphOptions = {},
): Promise<[number[], number[]]> => {
  const width = xDims.at(-1)!;
  const x = ops.input('x', xDims);
  const weight = ops.parameter('w', [out, width], 'float32');
  const bias = hasBias ? ops.parameter('b', [out], 'float32') : undefined;
  const graph = defineGraph('g', [x], { y: ops.affine(x, weight, bias) });
  const parameters = {
    w: normalTensor([out, width], seed),
    ...(hasBias && { b: normalTensor([out], seed + 1) }),
  };
  const feeds = { x: normalTensor(xDims, seed + 2) };
  const exact = await runGraph(graph, feeds, { parameters });
  const quick = await runGraph(graph, feeds, { parameters, precision: 'int8', ...options });
  expect(quick.y!.dims).toEqual(exact.y!.dims);
  return [numbersOf(quick.y!), numbersOf(exact.y!)];
};

describe('rows', () => {
  test.prop([
    fc
      .tuple(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 9 }))
      .chain(([out, width]) =>
        fc.record({
          out: fc.constant(out),
          width: fc.constant(width),
          weight: fc.float32Array({
            minLength: out * width,
            maxLength: out * width,
            noNaN: true,
            noDefaultInfinity: true,
          }),
        }),
      ),
  ])('come back within half a step, transposed', ({ out, width, weight }) => {
    const { data, scale } = quantizeRows(weight, out, width)!;
    for (let row = 0; row < out; row++) {
      const step = scale[row]!;
      for (let i = 0; i < width; i++) {
        const level = data[i * out + row]!;
        expect(Math.abs(level)).toBeLessThanOrEqual(127);
        const error = Math.abs(level * step - weight[row * width + i]!);
        expect(error).toBeLessThanOrEqual(step * 0.501);
      }
    }
  });

  test('of zeros stay zeros', () => {
    const { data, scale } = quantizeRows(Float32Array.of(0, 0, 1, -2), 2, 2)!;
    expect([...data]).toEqual([0, 64, 0, -127]);
    expect(scale[0]).toBe(1);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'with %d are refused',
    (value) => {
      expect(quantizeRows(Float32Array.of(1, value, 2, 3), 2, 2)).toBeUndefined();
    },
  );
});

describe('a layer in int8', () => {
  test.prop(
    [
      fc.record({
        xDims: fc.constantFrom([128], [5, 128], [2, 3, 128], [2, 2, 2, 192], [1, 256]),
        out: fc.constantFrom(64, 96, 200),
        hasBias: fc.boolean(),
      }),
      fc.nat({ max: 1000 }),
    ],
    { numRuns: 20 },
  )('stays within 2 % of float32', async (layer, seed) => {
    const [quick, exact] = await both(layer, seed);
    const error = relativeError(quick, exact);
    expect(error).toBeGreaterThan(0);
    expect(error).toBeLessThan(0.02);
  });

  test('below the threshold is not touched', async () => {
    const [quick, exact] = await both({ xDims: [3, 63], out: 65, hasBias: true }, 1);
    expect(quick).toEqual(exact);
  });

  test('whose name is to be kept is not touched', async () => {
    const layer = { xDims: [3, 128], out: 64, hasBias: true };
    // A global expression remembers its place; names are tested one by one all the same.
    const [quick, exact] = await both(layer, 2, { keepFloat32: /^w$/g });
    expect(quick).toEqual(exact);
    const [other] = await both(layer, 2, { keepFloat32: /^v$/ });
    expect(other).not.toEqual(exact);
  });

  test('with a row of zeros gives the bias there', async () => {
    const x = ops.input('x', [2, 128]);
    const weights = normal(64 * 128, 3).fill(0, 5 * 128, 6 * 128);
    const parameters = { w: tensorOf([64, 128], weights), b: normalTensor([64], 4) };
    const y = ops.affine(
      x,
      ops.parameter('w', [64, 128], 'float32'),
      ops.parameter('b', [64], 'float32'),
    );
    const feeds = { x: normalTensor([2, 128], 5) };
    const run = await runGraph(defineGraph('g', [x], { y }), feeds, {
      parameters,
      precision: 'int8',
    });
    const values = numbersOf(run.y!);
    expect([values[5], values[64 + 5]]).toEqual(Array(2).fill(numbersOf(parameters.b)[5]));
  });

  test('of zeros gives the bias', async () => {
    const x = ops.input('x', [1, 64]);
    const [w, b] = [ops.parameter('w', [64, 64], 'float32'), ops.parameter('b', [64], 'float32')];
    const parameters = { w: normalTensor([64, 64], 12), b: normalTensor([64], 13) };
    const { y } = await runGraph(
      defineGraph('g', [x], { y: ops.affine(x, w, b) }),
      { x: tensorOf([1, 64], Array(64).fill(0)) },
      { parameters, precision: 'int8' },
    );
    expect(numbersOf(y!)).toEqual(numbersOf(parameters.b));
  });

  test('with weights that are not finite is refused by name', async () => {
    const x = ops.input('x', [1, 64]);
    const w = ops.parameter('layer.weight', [64, 64], 'float32');
    const parameters = { 'layer.weight': tensorOf([64, 64], Array(4096).fill(Number.NaN)) };
    const graph = defineGraph('g', [x], { y: ops.affine(x, w) });
    await expect(
      runGraph(graph, { x: normalTensor([1, 64], 1) }, { parameters, precision: 'int8' }),
    ).rejects.toMatchObject({
      code: 'CHECKPOINT_INVALID',
      message: "tensor 'layer.weight' holds NaN or infinity, which int8 cannot",
      hint: 'use --precision float32',
    });
  });
});

/** bfloat16 of a number, rounded towards zero. */
const truncated = (dims: readonly number[], numbers: readonly number[]): TensorValue => {
  const bits = new Uint32Array(Float32Array.from(numbers).buffer);
  return { dtype: 'bfloat16', dims, data: Uint16Array.from(bits, (word) => word >>> 16) };
};

describe('weights', () => {
  const x = ops.input('x', [4, 128]);
  const twice = (w: Tensor): Graph =>
    defineGraph('g', [x], { y: ops.affine(ops.relu(ops.affine(x, w)), w) });
  const feeds = { x: normalTensor([4, 128], 8) };

  test('that are tied are quantised once', async () => {
    const parameters = { w: normalTensor([128, 128], 7) };
    const w = ops.parameter('w', [128, 128], 'float32');
    const exact = await runGraph(twice(w), feeds, { parameters });
    const quick = await runGraph(twice(w), feeds, { parameters, precision: 'int8' });
    expect(relativeError(numbersOf(quick.y!), numbersOf(exact.y!))).toBeLessThan(0.03);
    await withFolder(async (folder) => {
      const checkpoint = await writeCheckpoint(folder, parameters);
      const { graph } = quantizeGraph(twice(w), checkpoint);
      expect(parametersOf(verifyGraph(graph)).map(({ name }) => name)).toEqual([
        'w.int8',
        'w.scale',
      ]);
      expect(printGraph(graph)).toMatchInlineSnapshot(`
        "graph g
        %0 = input {x} : f32[4, 128]
        %1 = parameter {w.int8} : i8[128, 128]
        %2 = parameter {w.scale} : f32[128]
        %3 = quantizedLinear(%0, %1, %2) : f32[4, 128]
        %4 = relu(%3) : f32[4, 128]
        %5 = quantizedLinear(%4, %1, %2) : f32[4, 128]
        return y=%5
        "
      `);
    });
  });

  test('that are looked up as well stay for that in float', async () => {
    const parameters = { w: normalTensor([128, 128], 9) };
    const w = ops.parameter('w', [128, 128], 'float32');
    const graph = defineGraph('g', [x], {
      y: ops.affine(x, w),
      row: ops.take(w, ops.constant([3], 'int64')),
    });
    const { row } = await runGraph(graph, feeds, { parameters, precision: 'int8' });
    expect(numbersOf(row!)).toEqual(numbersOf(parameters.w).slice(3 * 128, 4 * 128));
  });

  test('in bfloat16 are quantised through their cast', async () => {
    const parameters = { w: truncated([128, 128], normal(128 * 128, 10)) };
    const w = ops.cast(ops.parameter('w', [128, 128], 'bfloat16'), 'float32');
    const exact = await runGraph(twice(w), feeds, { parameters });
    const quick = await runGraph(twice(w), feeds, { parameters, precision: 'int8' });
    expect(relativeError(numbersOf(quick.y!), numbersOf(exact.y!))).toBeLessThan(0.03);
  });

  test('that the graph computes stay float', async () => {
    const parameters = { w: normalTensor([128, 128], 11) };
    const w = ops.mul(ops.parameter('w', [128, 128], 'float32'), 0.5);
    const exact = await runGraph(twice(w), feeds, { parameters });
    const same = await runGraph(twice(w), feeds, { parameters, precision: 'int8' });
    expect(numbersOf(same.y!)).toEqual(numbersOf(exact.y!));
  });
});
