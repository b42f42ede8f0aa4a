/** A sliding window of 60 s for each identity; refused requests do not count. */
const WINDOW_MS = 60_000;
/** Identities that are kept; those that asked longest ago are forgotten first. */
const MAX_IDENTITIES = 10_000;

export class RateLimit {
  readonly #asked = new Map<string, number[]>();

  get identities(): number {
    return this.#asked.size;
  }

  /** Counts a request; gives the seconds to wait when there were too many. A limit of 0 is none. */
  take(identity: string, limit: number, nowMs: number): number {
    if (limit <= 0) return 0;
    const times = (this.#asked.get(identity) ?? []).filter((at) => nowMs - at <= WINDOW_MS);
    if (times.length >= limit) {
      this.#asked.set(identity, times);
      return Math.max(1, Math.ceil((times[0]! + WINDOW_MS - nowMs) / 1000));
    }
    times.push(nowMs);
    this.#asked.delete(identity);
    this.#asked.set(identity, times);
    this.#forget(nowMs);
    return 0;
  }

  /** Identities stand in the order in which they last asked. */
  #forget(nowMs: number): void {
    for (const [identity, times] of this.#asked) {
      const isOld = nowMs - times.at(-1)! > WINDOW_MS;
      if (!isOld && this.#asked.size <= MAX_IDENTITIES) return;
      this.#asked.delete(identity);
    }
  }
}
