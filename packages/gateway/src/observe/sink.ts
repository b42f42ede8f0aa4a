/**
 * Writes what was answered and what came true as JSON lines, a file for each market and day; as Parquet, these are the
 * journals of files that are written once.
 */
import { createHash } from 'node:crypto';
import { appendFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ParquetRotation, type RotationSettings } from './parquet-rotation.ts';

export interface SinkRecord {
  readonly kind: 'forecast' | 'outcome';
  readonly market: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface SinkSettings {
  readonly folder: string;
  readonly flushMs: number;
  readonly maxPending: number;
  /** Journals become Parquet files. */
  readonly parquet?: RotationSettings | undefined;
}

const MAX_NAME = 80;

/** A market's folder: its id where that is a safe name, else what is left of it and a digest. */
export const folderName = (market: string): string => {
  if (/^[\w-][\w.-]*$/.test(market) && market.length <= MAX_NAME) return market;
  const digest = createHash('sha256').update(market).digest('hex').slice(0, 16);
  return `${market.replace(/[^\w-]/g, '_').slice(0, MAX_NAME)}-${digest}`;
};

export class Sink implements AsyncDisposable {
  readonly #settings: SinkSettings;
  readonly #onError: (error: unknown) => void;
  readonly #timer: NodeJS.Timeout;
  #pending = new Map<string, string[]>();
  #pendingCount = 0;
  readonly #rotation: ParquetRotation | undefined;
  #writing: Promise<void> = Promise.resolve();
  #latestMs = 0;
  dropped = 0;

  constructor(settings: SinkSettings, onError: (error: unknown) => void) {
    this.#settings = settings;
    this.#onError = onError;
    if (settings.parquet) {
      const rotation = new ParquetRotation(settings.parquet, onError);
      this.#rotation = rotation;
      this.#writing = rotation.recover(settings.folder).catch(onError);
    }
    this.#timer = setInterval(() => void this.flush(), settings.flushMs).unref();
  }

  /** Takes a record; past the bound of what waits to be written it is dropped and counted. */
  write({ kind, market, fields }: SinkRecord, nowMs: number): void {
    if (this.#pendingCount >= this.#settings.maxPending) {
      this.dropped++;
      return;
    }
    this.#latestMs = nowMs;
    const at = new Date(nowMs).toISOString();
    const path = join(this.#settings.folder, folderName(market), `${at.slice(0, 10)}.jsonl`);
    const lines = this.#pending.get(path) ?? [];
    lines.push(`${JSON.stringify({ at, kind, market_id: market, ...fields })}\n`);
    this.#pending.set(path, lines);
    this.#pendingCount++;
  }

  /** Writes what waits; one flush at a time. */
  flush(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#flushNow());
    return this.#writing;
  }

  async #flushNow(): Promise<void> {
    const batch = this.#pending;
    this.#pending = new Map();
    this.#pendingCount = 0;
    for (const [path, lines] of batch) {
      try {
        await mkdir(dirname(path), { recursive: true });
        await appendFile(path, lines.join(''));
        this.#rotation?.appended(path, lines.length, this.#latestMs);
      } catch (error) {
        this.dropped += lines.length;
        this.#onError(error);
      }
    }
    await this.#rotation?.rotate(this.#latestMs || Date.now());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
    await this.#rotation?.close();
  }
}
