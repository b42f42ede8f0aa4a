/**
 * Covariates made of words as numbers (chronos2/preprocess.py): with one target the smoothed mean of the
 * target at each word, within the item; with several targets the place of the word in the sorted list.
 * Missing is a word of its own. The words of a name are those of all items of the call.
 */

export type Word = string | null;

export interface EncodedWords {
  /** [length] */
  readonly past: Float32Array;
  /** [horizon]; empty where no future is given. */
  readonly future: Float32Array;
}

/** Orders texts by their code points, which UTF-16 units do not do beyond the basic plane. */
export const byCodePoint = (a: string, b: string): number => {
  const [x, y] = [Array.from(a), Array.from(b)];
  const at = x.findIndex((character, i) => character !== y[i]);
  if (at < 0) return x.length - y.length;
  return at >= y.length ? 1 : x[at]!.codePointAt(0)! - y[at]!.codePointAt(0)!;
};

/** Code of each word of all items: its place in the sorted list. */
export const wordCodes = (columns: readonly (readonly Word[])[]): ReadonlyMap<string, number> => {
  const words = new Set(columns.flat().filter((word) => word !== null));
  return new Map([...words].sort(byCodePoint).map((word, code) => [word, code]));
};

/** Codes; missing gets the one after the last, a word unseen in every past is unknown. */
export const ordinalWords = (
  past: readonly Word[],
  future: readonly Word[],
  codes: ReadonlyMap<string, number>,
): EncodedWords => {
  const code = (word: Word): number =>
    word === null ? codes.size : (codes.get(word) ?? Number.NaN);
  return { past: Float32Array.from(past, code), future: Float32Array.from(future, code) };
};

interface Tally {
  readonly sum: number;
  readonly count: number;
}

const NOTHING: Tally = { sum: 0, count: 0 };

/**
 * (mean + sum of the target at the word) / (1 + count), over the item's points with a finite target;
 * a word that the item never had gives the item's mean.
 *
 * @param target float32 values over the whole history, NaN where missing
 */
export const targetMeans = (
  past: readonly Word[],
  future: readonly Word[],
  target: ArrayLike<number>,
): EncodedWords => {
  const tallies = new Map<Word, Tally>();
  let all = NOTHING;
  past.forEach((word, i) => {
    const value = target[i]!;
    if (!Number.isFinite(value)) return;
    const { sum, count } = tallies.get(word) ?? NOTHING;
    tallies.set(word, { sum: sum + value, count: count + 1 });
    all = { sum: all.sum + value, count: all.count + 1 };
  });
  const mean = all.count > 0 ? all.sum / all.count : 0;
  const encode = (word: Word): number => {
    const { sum, count } = tallies.get(word) ?? NOTHING;
    return (mean + sum) / (1 + count);
  };
  return { past: Float32Array.from(past, encode), future: Float32Array.from(future, encode) };
};
