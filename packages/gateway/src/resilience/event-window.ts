/** Successes and failures of the recent past, in memory that does not grow with the rate. */

interface Slot {
  /** Time of the slot's latest event, in ms. */
  atMs: number;
  readonly index: number;
  successes: number;
  failures: number;
}

/** Slots of a window: a window of 300 s forgets in steps of 0.15 s when events come faster than that. */
const SLOTS = 2000;

export class EventWindow {
  #slots: Slot[] = [];
  #successes = 0;
  #failures = 0;

  get total(): number {
    return this.#successes + this.#failures;
  }

  get failures(): number {
    return this.#failures;
  }

  /** Failures as a share of all events; 0 without events. */
  get failureRate(): number {
    return this.total === 0 ? 0 : this.#failures / this.total;
  }

  /** Adds an event and forgets those older than the window; an event exactly as old stays. */
  record(isSuccess: boolean, nowMs: number, windowMs: number): void {
    const index = Math.floor(nowMs / (windowMs / SLOTS));
    let slot = this.#slots.at(-1);
    if (slot?.index !== index) {
      slot = { atMs: nowMs, index, successes: 0, failures: 0 };
      this.#slots.push(slot);
    }
    slot.atMs = nowMs;
    if (isSuccess) {
      slot.successes++;
      this.#successes++;
    } else {
      slot.failures++;
      this.#failures++;
    }
    this.prune(nowMs, windowMs);
  }

  prune(nowMs: number, windowMs: number): void {
    let gone = 0;
    for (const slot of this.#slots) {
      if (slot.atMs >= nowMs - windowMs) break;
      this.#successes -= slot.successes;
      this.#failures -= slot.failures;
      gone++;
    }
    if (gone > 0) this.#slots = this.#slots.slice(gone);
  }
}
