/** The append-only journal of a run: events.jsonl in its folder. */
import { type FileHandle, open, readFile } from 'node:fs/promises';
import type { TrainingEvent } from './event.ts';

/** Events that wait for the disk; critical ones never wait. */
const BATCH = 32;

/** Ends what a crash left: the lines that are whole, and the number of the last one. */
const readWhole = async (path: string): Promise<{ bytes: number; seq: number }> => {
  const text = await readFile(path, 'utf8').catch(() => '');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const last = whole.trimEnd().split('\n').at(-1);
  const seq = last ? (JSON.parse(last) as TrainingEvent).seq : 0;
  return { bytes: Buffer.byteLength(whole), seq };
};

export class EventLog implements AsyncDisposable {
  readonly #file: FileHandle;
  /** Of the last event that is in the file or waits for it. */
  readonly lastSeq: number;
  #waiting: string[] = [];
  #writing: Promise<void> = Promise.resolve();

  private constructor(file: FileHandle, lastSeq: number) {
    this.#file = file;
    this.lastSeq = lastSeq;
  }

  /** Opens the journal; half a line that a crash left is cut off. */
  static async open(path: string): Promise<EventLog> {
    const { bytes, seq } = await readWhole(path);
    const file = await open(path, 'a');
    await file.truncate(bytes);
    return new EventLog(file, seq);
  }

  append(event: TrainingEvent): void {
    this.#waiting.push(`${JSON.stringify(event)}\n`);
    if (this.#waiting.length >= BATCH || event.level === 'critical') void this.flush();
  }

  /** Writes what waits. */
  flush(): Promise<void> {
    const lines = this.#waiting.join('');
    this.#waiting = [];
    if (lines) {
      this.#writing = this.#writing.then(async () => {
        await this.#file.appendFile(lines);
      });
    }
    return this.#writing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush();
    await this.#file.close();
  }
}
