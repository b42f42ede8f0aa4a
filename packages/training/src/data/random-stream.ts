/**
 * Random numbers whose whole state can be saved: xoshiro128** 1.1 (Blackman & Vigna 2018, public domain), seeded
 * through splitmix32.
 */
import { z } from 'zod';

const Word = z.int().min(0).max(0xffffffff);
export const RandomState = z.tuple([Word, Word, Word, Word]);
export type RandomState = Readonly<z.infer<typeof RandomState>>;

const rotateLeft = (word: number, by: number): number => (word << by) | (word >>> (32 - by));

const seeded = (seed: number): RandomState => {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
  return [next(), next(), next(), next()];
};

/**
 * @example
 * const random = RandomStream.of(42);
 * const saved = random.state();
 * random.uniform() === RandomStream.from(saved).uniform(); // true
 */
export class RandomStream {
  readonly #words: Uint32Array;

  private constructor(words: readonly number[]) {
    this.#words = Uint32Array.from(words);
  }

  static of(seed: number): RandomStream {
    return new RandomStream(seeded(seed));
  }

  static from(state: RandomState): RandomStream {
    return new RandomStream(state);
  }

  state(): RandomState {
    const [a, b, c, d] = this.#words;
    return [a!, b!, c!, d!];
  }

  load(state: RandomState): void {
    this.#words.set(state);
  }

  /** 32 random bits. */
  word(): number {
    const s = this.#words;
    const result = Math.imul(rotateLeft(Math.imul(s[1]!, 5), 7), 9) >>> 0;
    const shifted = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= shifted;
    s[3] = rotateLeft(s[3]!, 11);
    return result;
  }

  /** In [0, 1), with 53 bits. */
  uniform(): number {
    const high = this.word() >>> 5;
    const low = this.word() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  /** A whole number from 0 to below `count`, which is at most 2^53. */
  integer(count: number): number {
    return Math.floor(this.uniform() * count);
  }
}
