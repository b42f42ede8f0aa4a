/**
 * Dimensions that may be symbolic: integer polynomials over named symbols such as `batch` or
 * `patches`, kept in one canonical form, so that two dimensions are equal when their texts are.
 *
 * A family declares its inputs by their free sizes (`context = 16 * patches`), and every later
 * dimension follows by arithmetic; nothing is looked up while the graph runs that was known before.
 */

/** coefficient x product of symbols, the symbols sorted by name. */
interface Term {
  readonly coefficient: number;
  readonly symbols: readonly string[];
}

export interface SymbolicDim {
  readonly text: string;
  readonly terms: readonly Term[];
}

export type Dim = number | SymbolicDim;

export const symbol = (name: string): SymbolicDim => {
  if (!/^[a-z][\w]*$/i.test(name)) throw new RangeError(`invalid dimension name '${name}'`);
  return { text: name, terms: [{ coefficient: 1, symbols: [name] }] };
};

const keyOf = (symbols: readonly string[]): string => symbols.join('*');

const termText = ({ coefficient, symbols }: Term): string => {
  if (symbols.length === 0) return String(coefficient);
  return coefficient === 1 ? keyOf(symbols) : `${coefficient}*${keyOf(symbols)}`;
};

/** Sums equal monomials, drops zeros, sorts; a polynomial without symbols becomes a number. */
const canonical = (terms: readonly Term[]): Dim => {
  const sums = new Map<string, Term>();
  for (const term of terms) {
    const key = keyOf(term.symbols);
    const coefficient = (sums.get(key)?.coefficient ?? 0) + term.coefficient;
    sums.set(key, { coefficient, symbols: term.symbols });
  }
  const kept = [...sums.values()]
    .filter((term) => term.coefficient !== 0)
    .sort(
      (a, b) =>
        b.symbols.length - a.symbols.length || (keyOf(a.symbols) < keyOf(b.symbols) ? -1 : 1),
    );
  if (kept.length === 0) return 0;
  if (kept.length === 1 && kept[0]!.symbols.length === 0) return kept[0]!.coefficient;
  return { text: kept.map(termText).join('+').replaceAll('+-', '-'), terms: kept };
};

const termsOf = (dim: Dim): readonly Term[] =>
  typeof dim === 'number' ? [{ coefficient: dim, symbols: [] }] : dim.terms;

export const addDims = (...dims: readonly Dim[]): Dim => canonical(dims.flatMap(termsOf));

export const multiplyDims = (...dims: readonly Dim[]): Dim =>
  dims.reduce<Dim>(
    (a, b) =>
      canonical(
        termsOf(a).flatMap((x) =>
          termsOf(b).map((y) => ({
            coefficient: x.coefficient * y.coefficient,
            symbols: [...x.symbols, ...y.symbols].sort(),
          })),
        ),
      ),
    1,
  );

export const subtractDims = (a: Dim, b: Dim): Dim => addDims(a, multiplyDims(b, -1));

/** a / b when the division leaves no remainder whatever the symbols are, else undefined. */
export const divideDims = (a: Dim, b: Dim): Dim | undefined => {
  const divisor = termsOf(b);
  if (divisor.length !== 1) return dimEquals(a, b) ? 1 : undefined;
  const by = divisor[0]!;
  const terms: Term[] = [];
  for (const term of termsOf(a)) {
    const symbols = [...term.symbols];
    for (const name of by.symbols) {
      const at = symbols.indexOf(name);
      if (at < 0) return undefined;
      symbols.splice(at, 1);
    }
    const coefficient = term.coefficient / by.coefficient;
    if (!Number.isInteger(coefficient)) return undefined;
    terms.push({ coefficient, symbols });
  }
  return canonical(terms);
};

export const dimText = (dim: Dim): string => (typeof dim === 'number' ? String(dim) : dim.text);

export const dimEquals = (a: Dim, b: Dim): boolean => dimText(a) === dimText(b);

export const symbolsOf = (dim: Dim): readonly string[] =>
  typeof dim === 'number' ? [] : [...new Set(dim.terms.flatMap((term) => term.symbols))];

/** The value of a dimension once every symbol has one. Throws RangeError for a missing symbol. */
export const evaluateDim = (dim: Dim, sizes: ReadonlyMap<string, number>): number =>
  termsOf(dim).reduce((sum, { coefficient, symbols }) => {
    let product = coefficient;
    for (const name of symbols) {
      const size = sizes.get(name);
      if (size === undefined) throw new RangeError(`dimension '${name}' has no value`);
      product *= size;
    }
    return sum + product;
  }, 0);

/** `[batch, 16*patches, 512]` */
export const shapeText = (shape: readonly Dim[]): string => `[${shape.map(dimText).join(', ')}]`;

export const shapeEquals = (a: readonly Dim[], b: readonly Dim[]): boolean =>
  a.length === b.length && a.every((dim, i) => dimEquals(dim, b[i]!));
