/** Which journals have become Parquet files when: after so many lines, so much time, or the end of their day. */
import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { isSealed, sealJournal } from './sealed-journal.ts';

export interface RotationSettings {
  readonly rows: number;
  readonly ageMs: number;
}

interface Journal {
  readonly sinceMs: number;
  lines: number;
}

const JOURNAL = /^\d{4}-\d\d-\d\d\.jsonl$/;

const convertInThread = (sealed: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./seal-worker.ts', import.meta.url), { workerData: sealed });
    worker.once('error', reject);
    worker.once('exit', () => resolve());
  });

export class ParquetRotation {
  readonly #settings: RotationSettings;
  readonly #onError: (error: unknown) => void;
  readonly #journals = new Map<string, Journal>();
  #converting: Promise<void> = Promise.resolve();

  constructor(settings: RotationSettings, onError: (error: unknown) => void) {
    this.#settings = settings;
    this.#onError = onError;
  }

  /** Takes up what an earlier process left: half-done conversions and open journals. */
  async recover(folder: string): Promise<void> {
    const names = await readdir(folder, { recursive: true }).catch(() => [] as string[]);
    for (const name of names) {
      const path = join(folder, name);
      if (name.endsWith('.parquet.tmp')) await rm(path, { force: true });
      else if (isSealed(name)) this.#convert(path);
      // Its last line may be half a line, which nothing may be appended to.
      else if (JOURNAL.test(basename(name))) await this.#seal(path);
    }
  }

  /** Lines were appended to a journal. */
  appended(path: string, lines: number, nowMs: number): void {
    const journal = this.#journals.get(path) ?? { sinceMs: nowMs, lines: 0 };
    journal.lines += lines;
    this.#journals.set(path, journal);
  }

  /** Seals journals that are full, old or of a day that is over. To be called while nothing is appended. */
  async rotate(nowMs: number): Promise<void> {
    const today = new Date(nowMs).toISOString().slice(0, 10);
    for (const [path, { lines, sinceMs }] of [...this.#journals]) {
      const isOver = !path.endsWith(`${today}.jsonl`);
      const isOld = nowMs - sinceMs >= this.#settings.ageMs;
      if (isOver || isOld || lines >= this.#settings.rows) await this.#seal(path);
    }
  }

  /** Seals all, and waits for the last Parquet file. */
  async close(): Promise<void> {
    for (const path of [...this.#journals.keys()]) await this.#seal(path);
    await this.#converting;
  }

  async #seal(path: string): Promise<void> {
    this.#journals.delete(path);
    try {
      this.#convert(await sealJournal(path));
    } catch (error) {
      this.#onError(error);
    }
  }

  /** One after the other; what fails stays sealed and is taken up at the next start. */
  #convert(sealed: string): void {
    this.#converting = this.#converting.then(() => convertInThread(sealed)).catch(this.#onError);
  }
}
