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

/** A size that a run tells; equal to another when their texts are. */
export interface SymbolicDim {
  readonly text: string;
  readonly terms: readonly Term[];
}

export type Dim = number | SymbolicDim;

/** A size by its name. Throws RangeError for what is no name. */
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

const termsOf = (dim: Dim): readonly Term[] => {
  if (typeof dim !== 'number') return dim.terms;
  return dim === 0 ? [] : [{ coefficient: dim, symbols: [] }];
};

/** The sum of sizes, exact whatever the symbols are. */
export const addDims = (...dims: readonly Dim[]): Dim => canonical(dims.flatMap(termsOf));

/** The product of sizes; 1 of none. */
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

/** a - b */
export const subtractDims = (a: Dim, b: Dim): Dim => addDims(a, multiplyDims(b, -1));

/** a / b of two monomials, undefined where a symbol or the number leaves a remainder. */
const divideTerms = (a: Term, b: Term): Term | undefined => {
  const coefficient = a.coefficient / b.coefficient;
  if (!Number.isInteger(coefficient)) return undefined;
  const symbols = [...a.symbols];
  for (const name of b.symbols) {
    const at = symbols.indexOf(name);
    if (at < 0) return undefined;
    symbols.splice(at, 1);
  }
  return { coefficient, symbols };
};

/**
 * a / b when the division leaves no remainder whatever the symbols are, else undefined; undefined for
 * b = 0. Long division: terms are kept in graded lexicographic order, so leading terms decide.
 */
export const divideDims = (a: Dim, b: Dim): Dim | undefined => {
  const [leading] = termsOf(b);
  if (!leading) return undefined;
  const quotient: Term[] = [];
  let rest = a;
  for (let [first] = termsOf(rest); first; [first] = termsOf(rest)) {
    const term = divideTerms(first, leading);
    if (!term) return undefined;
    quotient.push(term);
    rest = subtractDims(rest, multiplyDims(canonical([term]), b));
  }
  return canonical(quotient);
};

/** `16*patches+1` */
export const dimText = (dim: Dim): string => (typeof dim === 'number' ? String(dim) : dim.text);

/** Whether two sizes are equal whatever the symbols are. */
export const dimEquals = (a: Dim, b: Dim): boolean => dimText(a) === dimText(b);

/** Names of the symbols, each once. */
export const symbolsOf = (dim: Dim): readonly string[] =>
  typeof dim === 'number' ? [] : [...new Set(dim.terms.flatMap((term) => term.symbols))];

/** A dimension that tells one symbol: coefficient * name + offset. */
export interface LinearDim {
  readonly name: string;
  readonly coefficient: number;
  readonly offset: number;
}

/** The form of a dimension from whose size its symbol can be read, undefined for any other. */
export const asLinear = (dim: Dim): LinearDim | undefined => {
  const [first, second, ...others] = termsOf(dim);
  const isOffset = second === undefined || second.symbols.length === 0;
  if (first?.symbols.length !== 1 || !isOffset || others.length > 0) return undefined;
  const { coefficient, symbols } = first;
  return { name: symbols[0]!, coefficient, offset: second?.coefficient ?? 0 };
};

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

/** Whether two shapes are equal whatever the symbols are. */
export const shapeEquals = (a: readonly Dim[], b: readonly Dim[]): boolean =>
  a.length === b.length && a.every((dim, i) => dimEquals(dim, b[i]!));
