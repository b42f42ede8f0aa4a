/** The events of a job as far as they are known: of this daemon's life from memory, of an earlier one from its journal. */
import { readFile } from 'node:fs/promises';
import { type JobProgress, TrainingEventLine } from '@tollama/core/training-job';

/** What stays in memory of a long training; the journal has all. */
const KEPT = 20_000;

const readJournal = async (path: string): Promise<TrainingEventLine[]> => {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => {
    if (!line.startsWith('{') || !line.endsWith('}')) return [];
    const parsed = TrainingEventLine.safeParse(JSON.parse(line));
    return parsed.success ? [parsed.data] : [];
  });
};

const numberOr = (value: unknown, other: number | null): number | null =>
  typeof value === 'number' ? value : other;

/** Progress after an event. */
export const progressAfter = (
  before: JobProgress | null,
  { name, attributes, epoch }: TrainingEventLine,
): JobProgress | null => {
  if (name === 'training.started' || name === 'training.resumed') {
    const { epochs, steps } = attributes;
    const fresh = { step: 0, loss: null, validation_loss: null, learning_rate: null, eta_s: null };
    return { ...fresh, ...before, epoch, epochs: Number(epochs), steps: Number(steps) };
  }
  if (!before) return before;
  if (name === 'training.progress') {
    return {
      ...before,
      step: Number(attributes.step),
      loss: numberOr(attributes.loss, null),
      learning_rate: numberOr(attributes.learning_rate, null),
      eta_s: numberOr(attributes.eta_s, null),
    };
  }
  if (name !== 'training.epoch') return before;
  const validation_loss = numberOr(attributes.validation_loss, before.validation_loss);
  return { ...before, epoch: Number(attributes.epoch), validation_loss };
};

type Listener = () => void;

export class JobEvents {
  readonly #path: string;
  readonly #listeners = new Set<Listener>();
  #events: TrainingEventLine[] | undefined;
  #isOver = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** Before a process begins: what earlier ones told comes from the journal. */
  async begin(): Promise<void> {
    this.#events = await readJournal(this.#path);
  }

  /** Events will come again. */
  reopen(): void {
    this.#isOver = false;
  }

  push(event: TrainingEventLine): void {
    this.#events ??= [];
    this.#events.push(event);
    if (this.#events.length > KEPT) this.#events.shift();
    for (const listener of this.#listeners) listener();
  }

  end(): void {
    this.#isOver = true;
    for (const listener of this.#listeners) listener();
  }

  /**
   * Events past the number `after`, those that are there and those to come, until the job's process ends.
   *
   * @param isLive whether events may still come
   */
  async *since(
    after: number,
    isLive: boolean,
    signal: AbortSignal,
  ): AsyncGenerator<TrainingEventLine> {
    if (!this.#events) this.#events = await readJournal(this.#path);
    let last = after;
    while (!signal.aborted) {
      const fresh = this.#events.filter(({ seq }) => seq > last);
      for (const event of fresh) {
        last = event.seq;
        yield event;
      }
      if (fresh.length > 0) continue;
      if (!isLive || this.#isOver) return;
      await this.#next(signal);
    }
  }

  #next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#listeners.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#listeners.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}
