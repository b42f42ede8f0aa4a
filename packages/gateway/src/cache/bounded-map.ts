/** A map bounded by entries and by bytes; full, it forgets the entry used (lru) or written (fifo) longest ago. */
export type Eviction = 'lru' | 'fifo';

export interface Bounds {
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly eviction: Eviction;
}

interface Sized<V> {
  readonly value: V;
  readonly bytes: number;
}

/** What an entry costs besides its key and value. */
const ENTRY_BYTES = 200;

export class BoundedMap<V> {
  readonly #bounds: () => Bounds;
  readonly #entries = new Map<string, Sized<V>>();
  #bytes = 0;

  constructor(bounds: () => Bounds) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (entry && this.#bounds().eviction === 'lru') {
      this.#entries.delete(key);
      this.#entries.set(key, entry);
    }
    return entry?.value;
  }

  /** Keeps a value of so many bytes; one that is larger than the whole bound is not kept. */
  set(key: string, value: V, valueBytes: number): void {
    const { maxEntries, maxBytes, eviction } = this.#bounds();
    const bytes = valueBytes + key.length * 2 + ENTRY_BYTES;
    if (bytes > maxBytes || maxEntries < 1) {
      this.delete(key);
      return;
    }
    // Written first, first out: the oldest goes even when an existing key is written again.
    if (eviction === 'fifo') this.#evictDownTo(maxEntries - 1, maxBytes - bytes);
    const existing = this.#entries.get(key);
    if (eviction === 'fifo' && existing) {
      this.#entries.set(key, { value, bytes });
      this.#bytes += bytes - existing.bytes;
      return;
    }
    this.delete(key);
    this.#evictDownTo(maxEntries - 1, maxBytes - bytes);
    this.#entries.set(key, { value, bytes });
    this.#bytes += bytes;
  }

  delete(key: string): boolean {
    const entry = this.#entries.get(key);
    if (!entry) return false;
    this.#bytes -= entry.bytes;
    return this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }

  #evictDownTo(entries: number, bytes: number): void {
    for (const key of this.#entries.keys()) {
      if (this.#entries.size <= entries && this.#bytes <= bytes) return;
      this.delete(key);
    }
  }
}
