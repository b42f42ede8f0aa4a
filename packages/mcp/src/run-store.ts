/** The latest forecasts, so that a conversation can come back to them; in memory and bounded. */
import { randomUUID } from 'node:crypto';
import type { ForecastResponse } from '@tollama/core/forecast-response';
import { LIMITS } from './limits.ts';

export interface Run {
  readonly id: string;
  readonly createdAt: string;
  /** What was asked, without the data. */
  readonly request: Readonly<Record<string, unknown>>;
  readonly response: ForecastResponse;
}

export class RunStore {
  readonly #runs = new Map<string, Run>();
  readonly #capacity: number;

  constructor(capacity: number = LIMITS.runs) {
    this.#capacity = capacity;
  }

  /** Keeps a forecast; the oldest one makes room. */
  add(request: Run['request'], response: ForecastResponse): Run {
    const run = { id: randomUUID(), createdAt: new Date().toISOString(), request, response };
    this.#runs.set(run.id, run);
    for (const id of this.#runs.keys()) {
      if (this.#runs.size <= this.#capacity) break;
      this.#runs.delete(id);
    }
    return run;
  }

  find(id: string): Run | undefined {
    return this.#runs.get(id);
  }

  /** The newest first. */
  list(): readonly Run[] {
    return [...this.#runs.values()].reverse();
  }
}
