/** Work that changes the same thing, one after the other; other things do not wait for it. */

export class KeyedQueue {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Whether work for the key is under way. */
  isBusy(key: string): boolean {
    return this.#last.has(key);
  }

  /** Keys of work that is under way or waits. */
  get keys(): readonly string[] {
    return [...this.#last.keys()];
  }

  /** Runs `work` when what came before it for this key is over, failed or not. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    const result = before ? before.then(work) : work();
    const settled = result.then(
      () => {},
      () => {},
    );
    this.#last.set(key, settled);
    await settled;
    if (this.#last.get(key) === settled) this.#last.delete(key);
    return result;
  }
}
