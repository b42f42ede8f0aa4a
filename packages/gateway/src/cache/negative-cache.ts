/** Refusals of bodies that will be refused again: the same bytes are not read twice. */
import { hash } from 'node:crypto';
import type { Refusal } from '../http/refusal.ts';
import { BoundedMap } from './bounded-map.ts';

interface Kept {
  readonly refusal: Refusal;
  readonly untilMs: number;
}

const BOUNDS = { maxEntries: 1000, maxBytes: 4 * 1024 * 1024, eviction: 'lru' } as const;

export class NegativeCache {
  readonly #kept = new BoundedMap<Kept>(() => BOUNDS);

  /** The refusal of this body, if it is known. */
  find(body: string, nowMs: number): Refusal | undefined {
    if (this.#kept.size === 0) return undefined;
    const key = keyOf(body);
    const kept = this.#kept.get(key);
    if (kept && nowMs <= kept.untilMs) return kept.refusal;
    if (kept) this.#kept.delete(key);
    return undefined;
  }

  /** Keeps a refusal that depends on the body alone: of its form (422) or its sense (400). */
  keep(body: string, refusal: Refusal, nowMs: number, ttlS: number): void {
    if (ttlS <= 0 || (refusal.status !== 400 && refusal.status !== 422)) return;
    const kept = { refusal, untilMs: nowMs + ttlS * 1000 };
    this.#kept.set(keyOf(body), kept, refusal.text.length);
  }

  clear(): void {
    this.#kept.clear();
  }
}

const keyOf = (body: string): string => hash('sha256', body, 'base64url');
