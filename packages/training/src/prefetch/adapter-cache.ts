/** What was loaded, in a bounded number of bytes. Whatever is attached is pinned by its lease. */

export interface Lease<T> extends Disposable {
  readonly value: T;
  /** Gives it back, once; without leases it may be evicted. */
  readonly release: () => void;
}

interface Entry<T> {
  readonly key: string;
  readonly value: T;
  readonly sizeBytes: number;
  leases: number;
  isCached: boolean;
}

export class AdapterCache<T> {
  readonly maxBytes: number;
  readonly #dispose: (value: T) => void | Promise<void>;
  /** Insertion order is order of use. */
  readonly #entries = new Map<string, Entry<T>>();
  readonly #disposing = new Set<Promise<void>>();
  #sizeBytes = 0;
  #evictions = 0;

  constructor(maxBytes: number, dispose: (value: T) => void | Promise<void>) {
    this.maxBytes = maxBytes;
    this.#dispose = dispose;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get evictions(): number {
    return this.#evictions;
  }

  get keys(): readonly string[] {
    return [...this.#entries.keys()];
  }

  lease(key: string): Lease<T> | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return this.#leaseOf(entry);
  }

  /**
   * Takes a value in and hands out leases. When it cannot fit beside what is pinned it is not kept, and lives until
   * its last lease ends.
   */
  put(key: string, value: T, sizeBytes: number, leases: number): readonly Lease<T>[] {
    const entry: Entry<T> = { key, value, sizeBytes, leases: 0, isCached: false };
    const handedOut = Array.from({ length: leases }, () => this.#leaseOf(entry));
    this.evict(key);
    if (this.#makeRoom(sizeBytes)) {
      entry.isCached = true;
      this.#entries.set(key, entry);
      this.#sizeBytes += sizeBytes;
    } else if (leases === 0) this.#free(entry);
    return handedOut;
  }

  /** Forgets a key; its value is freed now, or when its last lease ends. */
  evict(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#sizeBytes -= entry.sizeBytes;
    entry.isCached = false;
    if (entry.leases === 0) this.#free(entry);
  }

  /** Forgets everything, and waits until what nobody holds is freed. */
  async clear(): Promise<void> {
    for (const key of this.keys) this.evict(key);
    await Promise.all(this.#disposing);
  }

  #makeRoom(sizeBytes: number): boolean {
    const free = [...this.#entries.values()].filter(({ leases }) => leases === 0);
    const evictable = free.reduce((sum, entry) => sum + entry.sizeBytes, 0);
    if (this.#sizeBytes - evictable + sizeBytes > this.maxBytes) return false;
    for (const { key } of free) {
      if (this.#sizeBytes + sizeBytes <= this.maxBytes) break;
      this.evict(key);
      this.#evictions++;
    }
    return true;
  }

  #leaseOf(entry: Entry<T>): Lease<T> {
    entry.leases++;
    let isReleased = false;
    const release = (): void => {
      if (isReleased) return;
      isReleased = true;
      entry.leases--;
      if (entry.leases === 0 && !entry.isCached) this.#free(entry);
    };
    return { value: entry.value, release, [Symbol.dispose]: release };
  }

  #free({ value }: Entry<T>): void {
    const freed = Promise.resolve(this.#dispose(value));
    this.#disposing.add(freed);
    void freed.finally(() => this.#disposing.delete(freed));
  }
}
