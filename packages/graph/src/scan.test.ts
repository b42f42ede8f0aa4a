import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defineGraph } from './graph.ts';
import type { Tensor } from './node.ts';
import { add, cast, constant, dimOf, input, iota, matmul, mul, tanh } from './ops.ts';
import { rearrange } from './rearrange.ts';
import type { Checkpoint } from './safetensors/checkpoint.ts';
import { scan } from './scan.ts';
import { openSession } from './session/session.ts';
import { verifyGraph } from './verify.ts';

const NO_WEIGHTS: Checkpoint = { folder: '', tensors: new Map(), files: [], sizeBytes: 0 };

const openWith = (inputs: readonly Tensor[], outputs: Readonly<Record<string, Tensor>>) =>
  openSession(verifyGraph(defineGraph('test', inputs, outputs)), {
    checkpoint: NO_WEIGHTS,
    threads: 1,
  });

const matrix = (rows: readonly (readonly number[])[]) => ({
  dtype: 'float32' as const,
  dims: [rows.length, rows[0]!.length],
  data: Float32Array.from(rows.flat()),
});

/** [steps][2] with values that a running sum keeps exact. */
const rows = fc.array(
  fc.tuple(fc.integer({ max: 99, min: -99 }), fc.integer({ max: 99, min: 0 })),
  {
    minLength: 1,
    maxLength: 20,
  },
);

describe('scan', () => {
  test('a running sum: states are handed on, outputs are stacked', async () => {
    const xs = input('xs', ['steps', 2]);
    const { states, outputs } = scan([constant([0, 0])], [xs], ([sum], [x]) => {
      const next = add(sum!, x!);
      return { states: [next], outputs: [next, mul(x!, 2)] };
    });
    await using session = await openWith([xs], {
      last: states[0]!,
      sums: outputs[0]!,
      twice: outputs[1]!,
    });
    await fc.assert(
      fc.asyncProperty(rows, async (list) => {
        const { last, sums, twice } = await session.run({ xs: matrix(list) });
        const want = list.map((_, t) =>
          [0, 1].map((k) => list.slice(0, t + 1).reduce((a, row) => a + row[k]!, 0)),
        );
        expect(Array.from(sums!.data as Float32Array)).toEqual(want.flat());
        expect(Array.from(last!.data as Float32Array)).toEqual(want.at(-1));
        expect(Array.from(twice!.data as Float32Array)).toEqual(list.flat().map((x) => x * 2));
      }),
      { numRuns: 20 },
    );
  });

  test('a step uses outer values; what no state reaches is computed once, outside', async () => {
    const xs = input('xs', ['steps', 2]);
    const scale = input('scale', ['batch', 2]);
    const total = cast(iota(dimOf(scale, 0)), 'float32');
    const { states } = scan([mul(scale, 0)], [xs], ([h], [x]) => ({
      states: [add(tanh(h!), mul(add(scale, rearrange(total, 'b -> b 1')), x!))],
      outputs: [],
    }));
    const [last] = states;
    expect(
      last!.kind === 'scan' && last!.body.nodes.filter(({ kind }) => kind !== 'input'),
    ).toHaveLength(3);
    await using session = await openWith([xs, scale], { last: last! });
    const { last: got } = await session.run({
      xs: matrix([[1, 2]]),
      scale: matrix([
        [1, 1],
        [3, 5],
      ]),
    });
    expect(Array.from(got!.data as Float32Array)).toEqual([1, 2, 4, 12]);
  });

  test('a loop within a loop', async () => {
    const xs = input('xs', ['steps', 3]);
    const { states } = scan([constant(0)], [xs], ([sum], [row]) => {
      const inner = scan([sum!], [row!], ([s], [x]) => ({
        states: [add(s!, mul(x!, sum!))],
        outputs: [],
      }));
      return { states: [add(inner.states[0]!, 1)], outputs: [] };
    });
    await using session = await openWith([xs], { last: states[0]! });
    const { last } = await session.run({
      xs: matrix([
        [1, 2, 3],
        [1, 0, 1],
      ]),
    });
    expect(Array.from(last!.data as Float32Array)).toEqual([4]);
  });

  test('shapes that do not fit are refused when the graph is built', () => {
    const xs = input('xs', ['steps', 3]);
    const ys = input('ys', [4, 3]);
    const wider = ([h]: readonly Tensor[]) => ({
      states: [matmul(rearrange(h!, 'd -> d 1'), rearrange(h!, 'd -> 1 d'))],
      outputs: [],
    });
    expect(() => scan([constant([1, 2, 3])], [xs], wider)).toThrow('state0 [3] becomes [3, 3]');
    const first = ([h]: readonly Tensor[]) => ({ states: [h!], outputs: [] });
    expect(() => scan([constant(0)], [xs, ys], first)).toThrow('steps');
  });
});
