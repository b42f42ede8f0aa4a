/** Forecasts that wait for what came true, and what became of them. */
import type { ForecastResponse } from '../pipeline/answer.ts';
import { frequencySeconds } from '../request/frequency.ts';
import { parseTimestamp } from '../request/timestamp.ts';
import { type Realised, type ScoreRules, type Scores, scoresOf } from './scores.ts';

export interface Outcome {
  readonly market: string;
  /** Microseconds since 1970. */
  readonly atMicros: number;
  readonly actual: number;
}

export interface Segments {
  readonly category: string | null;
  readonly liquidity_bucket: string | null;
  readonly tte_bucket: string | null;
}

/** A forecast step together with its outcome, as it is written for later calibration. */
export interface MatchedOutcome extends Realised, Segments {
  readonly asOf: string;
  readonly step: number;
}

export interface LedgerSettings extends ScoreRules {
  readonly maxPending: number;
  readonly window: number;
}

interface Pending {
  readonly key: string;
  readonly market: string;
  readonly asOf: string;
  readonly asOfMicros: number;
  readonly periodMicros: number;
  readonly low: readonly number[];
  readonly median: readonly number[];
  readonly high: readonly number[];
  readonly segments: Segments;
  /** Steps whose outcome is known: one that is posted again counts no second time. */
  readonly realised: Set<number>;
}

export class Ledger {
  readonly #settings: () => LedgerSettings;
  /** By market, then by as_of. */
  readonly #pending = new Map<string, Map<string, Pending>>();
  #pendingCount = 0;
  #realised: Realised[] = [];
  #scores: Scores | undefined;

  constructor(settings: () => LedgerSettings) {
    this.#settings = settings;
  }

  get pending(): number {
    return this.#pendingCount;
  }

  /** Keeps a forecast; a later one of the same market and time replaces it. */
  remember(response: ForecastResponse, segments: Segments): void {
    const rows = response.quantiles.map((level) => response.yhat_q[String(level)]!);
    const middle = response.quantiles.findIndex((level) => level >= 0.5);
    const { market_id: market, as_of_ts: asOf } = response;
    const pending: Pending = {
      key: asOf,
      market,
      asOf,
      asOfMicros: parseTimestamp(asOf)!.micros,
      periodMicros: frequencySeconds(response.freq) * 1e6,
      low: rows[0]!,
      median: rows[middle < 0 ? rows.length - 1 : middle]!,
      high: rows.at(-1)!,
      segments,
      realised: new Set(),
    };
    const ofMarket = this.#pending.get(market) ?? new Map<string, Pending>();
    if (ofMarket.delete(asOf)) this.#pendingCount--;
    ofMarket.set(asOf, pending);
    // The market that was forecast last goes to the end: the ones left alone are forgotten first.
    this.#pending.delete(market);
    this.#pending.set(market, ofMarket);
    this.#pendingCount++;
    this.#forgetOldest();
  }

  /** Scores every pending forecast that has a step at this time. */
  realise({ market, atMicros, actual }: Outcome): MatchedOutcome[] {
    const matches: MatchedOutcome[] = [];
    for (const pending of this.#pending.get(market)?.values() ?? []) {
      const step = (atMicros - pending.asOfMicros) / pending.periodMicros;
      if (!Number.isInteger(step) || step < 1 || step > pending.median.length) continue;
      if (pending.realised.has(step)) continue;
      pending.realised.add(step);
      matches.push({
        market,
        asOf: pending.asOf,
        step,
        low: pending.low[step - 1]!,
        median: pending.median[step - 1]!,
        high: pending.high[step - 1]!,
        actual,
        ...pending.segments,
      });
    }
    this.#realised.push(...matches);
    const { window } = this.#settings();
    if (this.#realised.length > window) this.#realised = this.#realised.slice(-window);
    if (matches.length > 0) this.#scores = undefined;
    return matches;
  }

  scores(): Scores {
    this.#scores ??= scoresOf(this.#realised, this.#settings());
    return this.#scores;
  }

  #forgetOldest(): void {
    const { maxPending } = this.#settings();
    for (const [market, ofMarket] of this.#pending) {
      for (const key of ofMarket.keys()) {
        if (this.#pendingCount <= maxPending) return;
        ofMarket.delete(key);
        this.#pendingCount--;
      }
      this.#pending.delete(market);
    }
  }
}
