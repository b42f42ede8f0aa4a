/** The bus of a run: events are numbered and stamped here, written to its journal and told to listeners. */
import type { Attributes, EventLevel, Report } from '../contracts/metrics.ts';
import type { TrainingEvent } from './event.ts';
import { MetricRegistry } from './metric-registry.ts';

export interface TelemetryOptions {
  readonly runId: string;
  /** Number of the last event of an earlier process of the run. */
  readonly lastSeq?: number;
  /** Milliseconds of a clock that never runs backwards. */
  readonly now: () => number;
  readonly wall: () => Date;
}

export type Listener = (event: TrainingEvent) => void;

export class Telemetry {
  readonly metrics = new MetricRegistry();
  readonly #options: TelemetryOptions;
  readonly #listeners = new Set<Listener>();
  readonly #startedAt: number;
  #seq: number;
  #place = { epoch: 0, step: 0 };

  constructor(options: TelemetryOptions) {
    this.#options = options;
    this.#seq = options.lastSeq ?? 0;
    this.#startedAt = options.now();
  }

  /** Where the run stands; events bear it from here on. */
  at(epoch: number, step: number): void {
    this.#place = { epoch, step };
  }

  /** For parts that only report. */
  readonly report: Report = (name, level, attributes = {}) => this.emit(name, level, attributes);

  emit(name: string, level: EventLevel, attributes: Attributes = {}): void {
    const event: TrainingEvent = {
      seq: ++this.#seq,
      at_ms: this.#options.now() - this.#startedAt,
      wall: this.#options.wall().toISOString(),
      run_id: this.#options.runId,
      ...this.#place,
      name,
      level,
      attributes,
    };
    for (const listener of this.#listeners) listener(event);
  }

  /** Hears every event from here on; the answer ends it. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
