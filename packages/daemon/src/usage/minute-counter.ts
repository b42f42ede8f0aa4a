/** Counts what happened in the last minute, to the second, in sixty numbers however much happens. */
const SECONDS = 60;

export class MinuteCounter {
  readonly #counts = new Uint32Array(SECONDS);
  /** The second that each count belongs to. */
  readonly #seconds = new Float64Array(SECONDS).fill(-1);

  add(nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    const at = second % SECONDS;
    if (this.#seconds[at] !== second) {
      this.#seconds[at] = second;
      this.#counts[at] = 0;
    }
    this.#counts[at]!++;
  }

  count(nowMs: number): number {
    const since = Math.floor(nowMs / 1000) - SECONDS;
    return this.#counts.reduce(
      (sum, count, at) => (this.#seconds[at]! > since ? sum + count : sum),
      0,
    );
  }
}
