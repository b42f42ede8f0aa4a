/** Keeps labels bounded: the first values get their own series, all later ones share `other`. */
export class LabelBudget {
  readonly #seen: Set<string>;
  readonly #limit: number;

  constructor(limit: number, known: Iterable<string> = []) {
    this.#seen = new Set(known);
    this.#limit = limit + this.#seen.size;
  }

  label(value: string): string {
    if (this.#seen.has(value)) return value;
    if (this.#seen.size >= this.#limit || value.length > 64) return 'other';
    this.#seen.add(value);
    return value;
  }
}
