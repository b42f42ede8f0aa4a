import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import {
  addDims,
  asLinear,
  type Dim,
  dimEquals,
  dimText,
  divideDims,
  evaluateDim,
  multiplyDims,
  shapeText,
  subtractDims,
  symbol,
  symbolsOf,
} from './dimension.ts';

const NAMES = ['batch', 'n', 'p'] as const;

const dims: fc.Arbitrary<Dim> = fc
  .array(
    fc.record({
      coefficient: fc.integer({ min: -6, max: 6 }),
      symbols: fc.array(fc.constantFrom(...NAMES), { maxLength: 3 }),
    }),
    { maxLength: 4 },
  )
  .map((terms) =>
    addDims(
      ...terms.map(({ coefficient, symbols }) => multiplyDims(coefficient, ...symbols.map(symbol))),
    ),
  );

const sizes = fc
  .tuple(...NAMES.map(() => fc.integer({ min: 1, max: 9 })))
  .map((values) => new Map(NAMES.map((name, i) => [name as string, values[i]!])));

describe('arithmetic', () => {
  test.prop([dims, dims, sizes])('means what it says', (a, b, at) => {
    expect(evaluateDim(addDims(a, b), at)).toBe(evaluateDim(a, at) + evaluateDim(b, at));
    expect(evaluateDim(subtractDims(a, b), at)).toBe(evaluateDim(a, at) - evaluateDim(b, at));
    // Adding 0 turns the -0 of a product into 0.
    expect(evaluateDim(multiplyDims(a, b), at)).toBe(evaluateDim(a, at) * evaluateDim(b, at) + 0);
  });

  test.prop([dims, dims, dims])('is commutative, associative and distributes', (a, b, c) => {
    expect(dimText(addDims(a, b))).toBe(dimText(addDims(b, a)));
    expect(dimText(multiplyDims(a, b))).toBe(dimText(multiplyDims(b, a)));
    expect(dimText(addDims(a, addDims(b, c)))).toBe(dimText(addDims(addDims(a, b), c)));
    expect(dimText(multiplyDims(a, addDims(b, c)))).toBe(
      dimText(addDims(multiplyDims(a, b), multiplyDims(a, c))),
    );
  });

  test.prop([dims])('subtracting a dimension from itself leaves the number 0', (a) => {
    expect(subtractDims(a, a)).toBe(0);
  });

  test.prop([dims, dims])('division inverts multiplication', (a, b) => {
    fc.pre(b !== 0);
    expect(divideDims(multiplyDims(a, b), b)).toEqual(a);
  });

  test.prop([dims, dims, sizes])('a quotient is exact', (a, b, at) => {
    const quotient = divideDims(a, b);
    if (quotient === undefined) return;
    expect(evaluateDim(multiplyDims(quotient, b), at)).toBe(evaluateDim(a, at) + 0);
  });

  test.prop([dims, sizes])('a linear dimension tells its symbol', (a, at) => {
    const linear = asLinear(a);
    if (!linear) return;
    const { name, coefficient, offset } = linear;
    expect(coefficient * at.get(name)! + offset).toBe(evaluateDim(a, at));
    expect(symbolsOf(a)).toEqual([name]);
  });

  test.prop([dims, dims])('equal texts mean equal terms', (a, b) => {
    expect(dimEquals(a, b)).toBe(subtractDims(a, b) === 0);
  });
});

const n = symbol('n');
const p = symbol('p');

test.each([
  [divideDims(multiplyDims(6, n), 4), undefined],
  [divideDims(addDims(n, 1), n), undefined],
  [divideDims(n, 0), undefined],
  [divideDims(0, n), 0],
  [divideDims(0, 3), 0],
  [divideDims(7, 2), undefined],
  [asLinear(multiplyDims(n, p)), undefined],
  [asLinear(addDims(n, p)), undefined],
  [asLinear(5), undefined],
])('case %#', (got, wanted) => {
  expect(got).toEqual(wanted);
});

test('texts are canonical', () => {
  const dim = addDims(multiplyDims(16, n, symbol('batch')), multiplyDims(-3, p), 4);
  expect(shapeText([dim, 2, n])).toBe('[16*batch*n-3*p+4, 2, n]');
});

test('a size without a value is named', () => {
  expect(() => evaluateDim(n, new Map())).toThrow("dimension 'n' has no value");
  expect(() => symbol('2n')).toThrow("invalid dimension name '2n'");
});
