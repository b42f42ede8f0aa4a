/** The fast tier of rollback: snapshots by step in a bounded number of bytes. */

export interface PutResult {
  readonly isStored: boolean;
  /** Steps that made room, in the order in which they went. */
  readonly evicted: readonly number[];
}

interface Entry<T> {
  readonly value: T;
  readonly sizeBytes: number;
}

/**
 * Least recently used goes first. A snapshot that alone is bigger than the cap is refused and evicts nothing; one
 * of a step that is there takes its place.
 */
export class SnapshotRing<T> {
  readonly maxBytes: number;
  /** Insertion order is order of use. */
  readonly #entries = new Map<number, Entry<T>>();
  #sizeBytes = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** From least to most recently used. */
  get steps(): readonly number[] {
    return [...this.#entries.keys()];
  }

  put(step: number, value: T, sizeBytes: number): PutResult {
    if (sizeBytes > this.maxBytes) return { isStored: false, evicted: [] };
    this.#drop(step);
    const evicted: number[] = [];
    for (const oldest of this.#entries.keys()) {
      if (this.#sizeBytes + sizeBytes <= this.maxBytes) break;
      this.#drop(oldest);
      evicted.push(oldest);
    }
    this.#entries.set(step, { value, sizeBytes });
    this.#sizeBytes += sizeBytes;
    return { isStored: true, evicted };
  }

  /** The snapshot of the nearest step at or before the wanted one, which then counts as just used. */
  nearest(step: number): { readonly step: number; readonly value: T } | undefined {
    let found: number | undefined;
    for (const one of this.#entries.keys()) {
      if (one <= step && (found === undefined || one > found)) found = one;
    }
    if (found === undefined) return undefined;
    const entry = this.#entries.get(found)!;
    this.#entries.delete(found);
    this.#entries.set(found, entry);
    return { step: found, value: entry.value };
  }

  clear(): void {
    this.#entries.clear();
    this.#sizeBytes = 0;
  }

  #drop(step: number): void {
    const entry = this.#entries.get(step);
    if (!entry) return;
    this.#entries.delete(step);
    this.#sizeBytes -= entry.sizeBytes;
  }
}
