/**
 * How bad it stands: notice, elevated (an epoch failed), conservative (a breaker is open), halt. It only rises
 * until a clean epoch ends it; a halt is ended by an explicit resume alone.
 */
import type { Report } from '../contracts/metrics.ts';

export const EMERGENCY_LEVELS = ['none', 'notice', 'elevated', 'conservative', 'halt'] as const;
export type EmergencyLevel = (typeof EMERGENCY_LEVELS)[number];

const RANK = new Map(EMERGENCY_LEVELS.map((level, rank) => [level, rank]));

export interface EmergencyOptions {
  /** Failed epochs in a row that halt. */
  readonly failedEpochs: number;
  /** Rollbacks within `withinBatches` batches that halt. */
  readonly rollbacks: number;
  readonly withinBatches: number;
}

export const EMERGENCY_DEFAULTS: EmergencyOptions = {
  failedEpochs: 3,
  rollbacks: 3,
  withinBatches: 20,
};

/** Messages a minute that go past the queue of events. */
const BYPASS_PER_MINUTE = 60;
const MINUTE_MS = 60_000;

export class Emergency {
  readonly #options: EmergencyOptions;
  readonly #report: Report;
  readonly #now: () => number;
  #level: EmergencyLevel = 'none';
  #failedInRow = 0;
  #rollbacks: number[] = [];
  #sent: number[] = [];

  constructor(options: EmergencyOptions, report: Report, now: () => number) {
    this.#options = options;
    this.#report = report;
    this.#now = now;
  }

  get level(): EmergencyLevel {
    return this.#level;
  }

  get isHalted(): boolean {
    return this.#level === 'halt';
  }

  /** Rises to a level; a lower one changes nothing. */
  escalate(level: EmergencyLevel, reason: string): void {
    if (RANK.get(level)! <= RANK.get(this.#level)!) return;
    const from = this.#level;
    this.#level = level;
    this.#dispatch('tolaria.emergency.escalated', { from, to: level, reason });
    if (level === 'halt') this.#dispatch('tolaria.emergency.halt', { reason });
  }

  /** @param batch number of the batch that was rolled back, over the whole run */
  rolledBack(batch: number): void {
    const { rollbacks, withinBatches } = this.#options;
    this.#rollbacks = [...this.#rollbacks, batch].filter((at) => at > batch - withinBatches);
    if (this.#rollbacks.length >= rollbacks) {
      this.escalate('halt', `${rollbacks} rollbacks within ${withinBatches} batches`);
    } else this.escalate('notice', 'rolled back');
  }

  /** @param isConservative a breaker is open still, or the mode has yet to be cleared: no epoch ends that level */
  epochEnded(isClean: boolean, isConservative = false): void {
    if (isClean) {
      this.#failedInRow = 0;
      if (!this.isHalted && !isConservative) this.#level = 'none';
      return;
    }
    this.#failedInRow++;
    if (this.#failedInRow >= this.#options.failedEpochs) {
      this.escalate('halt', `${this.#failedInRow} failed epochs in a row`);
    } else this.escalate('elevated', 'an epoch failed');
  }

  /** What an operator says after a halt. */
  resume(): void {
    this.#level = 'none';
    this.#failedInRow = 0;
    this.#rollbacks = [];
  }

  state(): EmergencyState {
    return { failed_in_row: this.#failedInRow, rollbacks: [...this.#rollbacks] };
  }

  load({ failed_in_row, rollbacks }: EmergencyState): void {
    this.#failedInRow = failed_in_row;
    this.#rollbacks = [...rollbacks];
  }

  /** Critical while the limit of a minute lasts, a warning past it. */
  #dispatch(name: string, attributes: Readonly<Record<string, string>>): void {
    const now = this.#now();
    this.#sent = this.#sent.filter((at) => at > now - MINUTE_MS);
    const bypasses = this.#sent.length < BYPASS_PER_MINUTE;
    if (bypasses) this.#sent.push(now);
    this.#report(name, bypasses ? 'critical' : 'warning', attributes);
  }
}

export interface EmergencyState {
  readonly failed_in_row: number;
  readonly rollbacks: readonly number[];
}
