/** Long work that several callers ask for at the same time: done once, told to all of them. */
import { TollamaError } from '@tollama/core/errors';

interface Running<Event, Result> {
  readonly listeners: Set<(event: Event) => void>;
  readonly stop: AbortController;
  readonly result: Promise<Result>;
  last: Event | undefined;
}

export interface Caller<Event> {
  readonly emit: (event: Event) => void;
  /** A caller who goes away leaves the work to the others; with the last one it is stopped. */
  readonly signal?: AbortSignal | undefined;
}

type Work<Event, Result> = (emit: (event: Event) => void, signal: AbortSignal) => Promise<Result>;

export class SharedWork<Event, Result> {
  readonly #running = new Map<string, Running<Event, Result>>();

  /** Starts the work, or joins it where it is under way for the same key; who joins hears the latest event first. */
  run(key: string, caller: Caller<Event>, work: Work<Event, Result>): Promise<Result> {
    const { emit, signal } = caller;
    signal?.throwIfAborted();
    const known = this.#running.get(key);
    if (known?.last !== undefined) emit(known.last);
    const running = known ?? this.#start(key, work);
    running.listeners.add(emit);
    return this.#follow(key, running, { emit, signal });
  }

  #start(key: string, work: Work<Event, Result>): Running<Event, Result> {
    const stop = new AbortController();
    const listeners = new Set<(event: Event) => void>();
    const tell = (event: Event): void => {
      running.last = event;
      for (const listener of listeners) listener(event);
    };
    // In the next turn, so that the caller who starts it hears its first event.
    const result = Promise.resolve().then(() => work(tell, stop.signal));
    const running: Running<Event, Result> = { listeners, stop, result, last: undefined };
    this.#running.set(key, running);
    const end = (): void => this.#forget(key, running);
    result.then(end, end);
    return running;
  }

  #forget(key: string, running: Running<Event, Result>): void {
    if (this.#running.get(key) === running) this.#running.delete(key);
  }

  #follow(
    key: string,
    running: Running<Event, Result>,
    { emit, signal }: Caller<Event>,
  ): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const leave = (): void => {
      running.listeners.delete(emit);
      const reason = signal?.reason ?? new TollamaError('INTERRUPTED', 'the client went away');
      if (running.listeners.size > 0) {
        reject(reason);
        return;
      }
      // The last to leave waits for the end of the work, which then leaves nothing half done behind.
      this.#forget(key, running);
      running.stop.abort(reason);
    };
    signal?.addEventListener('abort', leave, { once: true });
    running.result.then(resolve, reject).finally(() => {
      running.listeners.delete(emit);
      signal?.removeEventListener('abort', leave);
    });
    return promise;
  }
}
