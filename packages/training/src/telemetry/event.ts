/** What is told while a training runs: one line of events.jsonl each, and the same on the bus. */
import type { Attributes, EventLevel } from '../contracts/metrics.ts';

export interface TrainingEvent {
  /** Counts the events of a run, from 1, over all of its processes. */
  readonly seq: number;
  /** Milliseconds since this process began, by a clock that never runs backwards. */
  readonly at_ms: number;
  /** ISO-8601 UTC. */
  readonly wall: string;
  readonly run_id: string;
  readonly epoch: number;
  readonly step: number;
  readonly name: string;
  readonly level: EventLevel;
  readonly attributes: Attributes;
}
