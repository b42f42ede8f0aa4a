/** Turns the events of a run into packets, one an epoch, and counts them by name. */
import type { TrainingEvent } from '../telemetry/event.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Packet } from './result.ts';

export class RunRecorder {
  readonly events: TrainingEvent[] = [];
  readonly packets: Packet[] = [];
  readonly #telemetry: Telemetry;
  #from = 0;

  /** @param stream hears each event as it happens */
  constructor(telemetry: Telemetry, stream: (event: TrainingEvent) => void = () => {}) {
    this.#telemetry = telemetry;
    telemetry.listen((event) => {
      this.events.push(event);
      stream(event);
      if (event.name === 'training.epoch') this.#close(event.epoch);
    });
  }

  count(name: string): number {
    return this.events.filter((event) => event.name === name).length;
  }

  named(name: string): readonly TrainingEvent[] {
    return this.events.filter((event) => event.name === name);
  }

  /** What came after the last epoch. */
  finish(): readonly Packet[] {
    if (this.#from < this.events.length) this.#close(this.events.at(-1)!.epoch);
    return this.packets;
  }

  #close(epoch: number): void {
    const events = this.events.slice(this.#from);
    this.#from = this.events.length;
    const { metrics } = this.#telemetry;
    const values = [...metrics.counters(), ...metrics.gauges()];
    this.packets.push({
      seq: this.packets.length + 1,
      at_ms: events.at(-1)!.at_ms,
      epoch,
      metrics: Object.fromEntries(values.map(({ name, value }) => [name, value])),
      events: events.map(({ name, level, attributes }) => ({ name, level, attributes })),
      priority: events.some(({ level }) => level === 'critical') ? 'critical' : 'normal',
    });
  }
}
