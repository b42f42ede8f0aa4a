/** Answers that were given: in memory first, then in a store that instances share. */
import type { CacheTier } from '../pipeline/answer.ts';
import { BoundedMap, type Bounds } from './bounded-map.ts';

export interface StoredAnswer {
  /** The response as JSON, with the meta of a fresh hit. */
  readonly text: string;
  /** On the wall clock, inclusive. */
  readonly freshUntilMs: number;
  readonly staleUntilMs: number;
}

export interface Found extends StoredAnswer {
  readonly tier: CacheTier;
}

export interface CacheKeys {
  /** Of memory, which is cleared when settings change. */
  readonly key: string;
  /** Of the shared store, where other instances may run with other settings. */
  readonly sharedKey: () => string;
}

/** A store shared by instances. It never throws and never waits long: what it loses is a miss. */
export interface SharedTier extends AsyncDisposable {
  get(key: string, nowMs: number): Promise<StoredAnswer | undefined>;
  set(key: string, answer: StoredAnswer, nowMs: number): void;
  /** Whether it answered when last asked. */
  readonly isUp: boolean;
}

export class AnswerCache {
  readonly #memory: BoundedMap<StoredAnswer>;
  readonly #shared: SharedTier | undefined;

  constructor(bounds: () => Bounds, shared?: SharedTier) {
    this.#memory = new BoundedMap(bounds);
    this.#shared = shared;
  }

  get entries(): number {
    return this.#memory.size;
  }

  get bytes(): number {
    return this.#memory.bytes;
  }

  get isSharedUp(): boolean | undefined {
    return this.#shared?.isUp;
  }

  /** What memory holds that may still be served, fresh or stale. */
  peek(key: string, nowMs: number): Found | undefined {
    const stored = this.#memory.get(key);
    if (!stored) return undefined;
    if (nowMs <= Math.max(stored.freshUntilMs, stored.staleUntilMs)) {
      return { ...stored, tier: 'l1' };
    }
    this.#memory.delete(key);
    return undefined;
  }

  /** Whether there is more to ask than memory. */
  get hasSharedTier(): boolean {
    return this.#shared !== undefined;
  }

  /**
   * What the shared store holds; kept in memory from then on. Others write there too: what is not sound is
   * as if it were not there.
   */
  async fetch(
    { key, sharedKey }: CacheKeys,
    nowMs: number,
    isSound: (text: string) => boolean,
  ): Promise<Found | undefined> {
    const stored = await this.#shared?.get(sharedKey(), nowMs);
    if (!stored || nowMs > Math.max(stored.freshUntilMs, stored.staleUntilMs)) return undefined;
    if (!isSound(stored.text)) return undefined;
    this.#remember(key, stored);
    return { ...stored, tier: 'l2' };
  }

  store({ key, sharedKey }: CacheKeys, answer: StoredAnswer, nowMs: number): void {
    this.#remember(key, answer);
    this.#shared?.set(sharedKey(), answer, nowMs);
  }

  /** Forgets what memory holds, after the settings that answers depend on have changed. */
  clear(): void {
    this.#memory.clear();
  }

  #remember(key: string, answer: StoredAnswer): void {
    // V8 keeps text of Latin-1 at a byte a character.
    this.#memory.set(key, answer, answer.text.length);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#shared?.[Symbol.asyncDispose]();
  }
}
