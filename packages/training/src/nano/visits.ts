/**
 * Which block is visited when. New blocks come first where they are written already, else one that was seen is seen
 * again. Since that depends on the generator's pace, every choice goes into a journal before it is used, and a run
 * that was cut off repeats its journal: it ends with the same weights bit for bit.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { createRandom } from '../synthetic/random.ts';
import { blockPath } from './blocks.ts';

export class Visits {
  readonly #folder: string;
  readonly #journal: string;
  readonly #seed: number;
  readonly #chosen: number[];
  #fresh: number;

  constructor(folder: string, journal: string, seed: number) {
    this.#folder = folder;
    this.#journal = journal;
    this.#seed = seed;
    const text = existsSync(journal) ? readFileSync(journal, 'utf8') : '';
    // What a crash left of a line is no choice yet.
    this.#chosen = text
      .slice(0, text.lastIndexOf('\n') + 1)
      .split('\n')
      .filter(Boolean)
      .map(Number);
    this.#fresh = 1 + Math.max(-1, ...this.#chosen);
  }

  /** The block of a visit; undefined while no block is written at all. */
  blockOf(visit: number): number | undefined {
    while (this.#chosen.length <= visit) {
      const block = this.#choose(this.#chosen.length);
      if (block === undefined) return undefined;
      appendFileSync(this.#journal, `${block}\n`);
      this.#chosen.push(block);
    }
    return this.#chosen[visit];
  }

  #choose(visit: number): number | undefined {
    if (existsSync(blockPath(this.#folder, this.#fresh))) return this.#fresh++;
    if (this.#fresh === 0) return undefined;
    return createRandom(this.#seed, visit).integer(0, this.#fresh - 1);
  }
}
