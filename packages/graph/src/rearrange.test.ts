import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { addDims, multiplyDims, symbol } from './dimension.ts';
import { input } from './ops.ts';
import { rearrange, repeat } from './rearrange.ts';
import { build, type NdArray } from './testing/nd-array.ts';
import { declared } from './testing/operator-cases.ts';
import { evaluate, numbersOf, tensorOf } from './testing/run-graph.ts';

type Sizes = Readonly<Record<string, number>>;
type Axes = readonly (readonly string[])[];

const sideText = (axes: Axes): string =>
  axes
    .map((names) => {
      if (names.length === 0) return '1';
      return names.length === 1 ? names[0] : `(${names.join(' ')})`;
    })
    .join(' ');

const sizeOf = (names: readonly string[], sizes: Sizes): number =>
  names.reduce((product, name) => product * sizes[name]!, 1);

/** einops by its definition: every element keeps the value that its names give. */
const reference = (axes: Axes, sizes: Sizes, valueAt: (at: Sizes) => number): NdArray =>
  build(
    axes.map((names) => sizeOf(names, sizes)),
    (index) => {
      const at: Record<string, number> = {};
      axes.forEach((names, axis) => {
        let rest = index[axis]!;
        for (const name of names.toReversed()) {
          at[name] = rest % sizes[name]!;
          rest = Math.floor(rest / sizes[name]!);
        }
      });
      return valueAt(at);
    },
  );

/** Cuts a list of names into axes; an empty piece is a literal 1. */
const cut = (names: readonly string[], cuts: readonly number[]): Axes => {
  const places = [0, ...cuts.map((place) => place % (names.length + 1)), names.length];
  places.sort((a, b) => a - b);
  return places.slice(1).map((end, i) => names.slice(places[i], end));
};

const NAMES = ['a', 'b', 'c', 'd'] as const;
const cuts = fc.array(fc.nat(), { maxLength: 4 });

const patterns = fc.record({
  order: fc.shuffledSubarray([...NAMES], { minLength: 4 }),
  sizes: fc
    .tuple(...NAMES.map(() => fc.integer({ min: 1, max: 4 })))
    .map((values): Sizes => Object.fromEntries(NAMES.map((name, i) => [name, values[i]!]))),
  left: cuts,
  right: cuts,
});

/** A number for each element that no other has. */
const code = (at: Sizes): number => NAMES.reduce((total, name) => total * 4 + (at[name] ?? 0), 0);

test.prop([patterns, fc.boolean()], { numRuns: 60 })(
  'rearrange moves every element where its names say',
  async ({ order, sizes, left, right }, isFree) => {
    const [from, to] = [cut(NAMES, left), cut(order, right)];
    const x = reference(from, sizes, code);
    // A free axis has a name alone; all the rest is given.
    const free = isFree ? from.filter((names) => names.length === 1).flat() : [];
    const shape = from.map((names, i) => (free.includes(names[0]!) ? names[0]! : x.dims[i]!));
    const given = Object.entries(sizes).filter(([name]) => !free.includes(name));
    const operand = declared(x, shape);
    const node = input('x', shape);
    const moved = rearrange(
      node,
      `${sideText(from)} -> ${sideText(to)}`,
      Object.fromEntries(given),
    );
    const result = await evaluate(
      moved,
      { x: tensorOf(operand.dims, operand.data) },
      { inputs: [node] },
    );
    const expected = reference(to, sizes, code);
    expect(result.dims).toEqual(expected.dims);
    expect(numbersOf(result)).toEqual(expected.data);
  },
);

test.prop([patterns, fc.subarray([...NAMES])], { numRuns: 40 })(
  'repeat spreads the tensor along new names',
  async ({ order, sizes, left, right }, kept) => {
    const [from, to] = [cut(kept, left), cut(order, right)];
    const x = reference(from, sizes, code);
    const node = input('x', x.dims);
    const spread = repeat(node, `${sideText(from)} -> ${sideText(to)}`, sizes);
    const result = await evaluate(spread, { x: tensorOf(x.dims, x.data) });
    const expected = reference(to, sizes, (at) =>
      code(Object.fromEntries(kept.map((name) => [name, at[name]!]))),
    );
    expect(result.dims).toEqual(expected.dims);
    expect(numbersOf(result)).toEqual(expected.data);
  },
);

const points = multiplyDims(16, addDims(symbol('patches'), 1));

test('a symbolic axis splits where the division is exact', () => {
  const x = input('x', ['batch', points]);
  const split = rearrange(x, 'b (n p) -> n b p', { p: 16 });
  expect(split.shape).toEqual([addDims(symbol('patches'), 1), symbol('batch'), 16]);
  expect(rearrange(x, 'b (n p) -> b n p', { n: addDims(symbol('patches'), 1) }).shape[2]).toBe(16);
});

test.each([
  ['a b', 'needs exactly one'],
  ['a -> b -> c', 'needs exactly one'],
  ['a b -> a', 'both sides must have the same names'],
  ['a b -> a b c', 'both sides must have the same names'],
  ['a -> a', 'got a tensor of rank 2'],
  ['(a b) c -> a b c', 'axis 0 of size 4 is not (a b)'],
  ['(a b -> a b', "cannot read '(a'"],
  ['a b) -> a b', "cannot read 'b)'"],
  ['a 2 -> a 2', "cannot read '2'"],
  ['a a -> a a', 'axis 1 of size 6 is not (a)'],
  ['a 1 -> a 1', 'axis 1 of size 6 is not ()'],
])('%s is refused', (pattern, why) => {
  expect(() => rearrange(input('x', [4, 6]), pattern)).toThrow(why);
});

test('an axis that does not divide is refused', () => {
  expect(() => rearrange(input('x', ['n', 6]), 'n (a b) -> n a b', { a: 4 })).toThrow(
    'axis 1 of size 6 is not (a b)',
  );
  expect(() => repeat(input('x', [3]), 'a -> b a', {})).toThrow('every new name needs a size');
  expect(() => repeat(input('x', [3, 2]), 'a c -> b a', { b: 2 })).toThrow(
    'every old one must stay',
  );
});
