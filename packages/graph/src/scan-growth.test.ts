import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addDims, subtractDims } from './dimension.ts';
import { defineGraph } from './graph.ts';
import { add, broadcast, concat, constant, dimOf, input, mul, slice, sum, top } from './ops.ts';
import { rearrange } from './rearrange.ts';
import { scan } from './scan.ts';
import { evaluate, numbersOf } from './testing/run-graph.ts';
import { verifyGraph } from './verify.ts';

const column = (values: readonly number[]) => ({
  dtype: 'float32' as const,
  dims: [values.length],
  data: Float32Array.from(values),
});

const xs = input('xs', ['steps']);

/** Keeps all elements so far and sums them; the table tells what each is worth by its age. */
const history = (first: readonly number[], worth: readonly number[]) => {
  const table = constant(worth);
  return scan(
    [constant(first, 'float32', [first.length])],
    [xs],
    ([past], [x]) => {
      const all = concat([past!, rearrange(x!, '-> 1')], 0);
      const start = subtractDims(worth.length, dimOf(all, 0));
      const sums = sum(mul(all, slice(table, 0, { start })), 0);
      return { states: [all], outputs: [sums] };
    },
    { steps: 'past', axes: [0] },
  );
};

describe('scan with a state that grows', () => {
  const numbers = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 10 });
  // The worth of the newest element is the last one.
  const worth = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

  test.each([[[]], [[5, 7]]])('from %j elements, it holds all that were added', (first) =>
    fc.assert(
      fc.asyncProperty(numbers, async (list) => {
        const feeds = { xs: column(list) };
        const { states, outputs } = history(first, worth);
        const all = [...first, ...list];
        const want = list.map((_, t) => {
          const kept = all.slice(0, first.length + t + 1);
          return kept.reduce((a, x, i) => a + x * worth[worth.length - kept.length + i]!, 0);
        });
        expect(numbersOf(await evaluate(outputs[0]!, feeds))).toEqual(want);
        expect(numbersOf(await evaluate(states[0]!, feeds))).toEqual(all);
      }),
      { numRuns: 8 },
    ),
  );

  test('its shape after the loop is the first one and the steps', () => {
    const { states } = history([5, 7], worth);
    expect(states[0]!.shape.map(String)).toHaveLength(1);
    expect(dimOf(states[0]!, 0)).toEqual(addDims(2, dimOf(xs, 0)));
    verifyGraph(defineGraph('grown', [xs], { y: states[0]! }));
  });

  test('a step that does not add one element is refused', () => {
    const two = () =>
      scan(
        [broadcast(constant([], 'float32', [0]), [0])],
        [xs],
        ([past], [x]) => {
          const element = rearrange(x!, '-> 1');
          return { states: [concat([past!, element, element], 0)], outputs: [] };
        },
        { steps: 'past', axes: [0] },
      );
    expect(two).toThrow('state0 [past] becomes [past+2]');
  });
});

test('top takes a count that a run tells', async () => {
  const ranks = input('ranks', ['k']);
  const largest = top(constant([3, 9, 4, 7]), dimOf(ranks, 0)).values;
  const inputs = [ranks];
  const feeds = { ranks: column([0, 0]) };
  expect(numbersOf(await evaluate(add(largest, 0), feeds, { inputs }))).toEqual([9, 7]);
});
