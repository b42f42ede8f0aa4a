/** What happens in the daemon, told to those who listen. A slow listener loses its oldest events, nobody waits. */
import { randomUUID } from 'node:crypto';

export const EVENT_NAMES = [
  'model.loaded',
  'model.selected',
  'forecast.progress',
  'forecast.complete',
  'forecast.stream',
  'analysis.complete',
  'anomaly.detected',
] as const;
export type EventName = (typeof EVENT_NAMES)[number];

export interface EventRecord {
  readonly event_id: string;
  /** Counts all events of the daemon, from 1. */
  readonly sequence: number;
  readonly timestamp: string;
  readonly event: EventName;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface EventFilter {
  /** Listeners hear what their own key does. */
  readonly keyId: string;
  /** All events when undefined. */
  readonly names: ReadonlySet<string> | undefined;
}

const QUEUE_LIMIT = 256;

/** One listener's queue. */
export class Subscription implements Disposable {
  readonly filter: EventFilter;
  readonly #leave: (subscription: Subscription) => void;
  readonly #queue: EventRecord[] = [];
  #wake: (() => void) | undefined;
  #isClosed = false;

  constructor(filter: EventFilter, leave: (subscription: Subscription) => void) {
    this.filter = filter;
    this.#leave = leave;
  }

  push(record: EventRecord): void {
    if (this.#queue.length === QUEUE_LIMIT) this.#queue.shift();
    this.#queue.push(record);
    this.#wake?.();
  }

  /** The next event; 'idle' when none came for that long, 'closed' when none will come. */
  async next(idleMs: number): Promise<EventRecord | 'idle' | 'closed'> {
    if (this.#queue.length === 0 && !this.#isClosed) await this.#wait(idleMs);
    return this.#queue.shift() ?? (this.#isClosed ? 'closed' : 'idle');
  }

  #wait(idleMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake?.(), idleMs);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
    });
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#leave(this);
    this.#wake?.();
  }
}

export class EventBus implements Disposable {
  readonly #subscriptions = new Set<Subscription>();
  #sequence = 0;

  get listeners(): number {
    return this.#subscriptions.size;
  }

  publish(keyId: string, event: EventName, data: Readonly<Record<string, unknown>>): void {
    const sequence = ++this.#sequence;
    const hearing = [...this.#subscriptions].filter(
      ({ filter }) => filter.keyId === keyId && (filter.names?.has(event) ?? true),
    );
    if (hearing.length === 0) return;
    const timestamp = new Date().toISOString();
    const record = { event_id: randomUUID(), sequence, timestamp, event, data };
    for (const subscription of hearing) subscription.push(record);
  }

  subscribe(filter: EventFilter): Subscription {
    const subscription = new Subscription(filter, (gone) => this.#subscriptions.delete(gone));
    this.#subscriptions.add(subscription);
    return subscription;
  }

  /** Ends all listeners. */
  [Symbol.dispose](): void {
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
  }
}
