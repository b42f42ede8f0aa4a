/**
 * Who asked how much: counts by API key, in SQLite. Counts gather in memory and are written together, so that a
 * forecast never waits for the disk; a daemon that is killed loses the last moment at most.
 */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { errorMessage } from '@tollama/core/errors';
import type { Logger } from '../log.ts';
import { MinuteCounter } from './minute-counter.ts';

export interface KeyUsage {
  readonly key_id: string;
  readonly request_count: number;
  readonly total_inference_ms: number;
  readonly series_processed: number;
  readonly updated_at: string;
}

export interface Usage {
  readonly items: readonly KeyUsage[];
  readonly summary: {
    readonly keys: number;
    readonly request_count: number;
    readonly total_inference_ms: number;
    readonly series_processed: number;
  };
}

export interface ForecastDone {
  readonly inferenceMs: number;
  readonly series: number;
}

interface Pending {
  requests: number;
  inferenceMs: number;
  series: number;
}

const WRITE_AFTER_MS = 500;
/** `2026-01` of an ISO date. */
const MONTH_LENGTH = 7;

const TABLE = `CREATE TABLE IF NOT EXISTS usage (
  key_id TEXT PRIMARY KEY,
  request_count INTEGER NOT NULL,
  total_inference_ms REAL NOT NULL,
  series_processed INTEGER NOT NULL,
  updated_at TEXT NOT NULL
) STRICT`;

const MONTHS_TABLE = `CREATE TABLE IF NOT EXISTS usage_by_month (
  key_id TEXT NOT NULL,
  month TEXT NOT NULL,
  request_count INTEGER NOT NULL,
  PRIMARY KEY (key_id, month)
) STRICT`;

const ADD_TO_MONTH = `INSERT INTO usage_by_month VALUES (?, ?, ?)
ON CONFLICT (key_id, month) DO UPDATE SET request_count = request_count + excluded.request_count`;

const ADD = `INSERT INTO usage VALUES (?, ?, ?, ?, ?)
ON CONFLICT (key_id) DO UPDATE SET
  request_count = request_count + excluded.request_count,
  total_inference_ms = total_inference_ms + excluded.total_inference_ms,
  series_processed = series_processed + excluded.series_processed,
  updated_at = excluded.updated_at`;

const open = async (path: string): Promise<DatabaseSync> => {
  await mkdir(dirname(path), { recursive: true });
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(path);
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 2000',
  );
  database.exec(TABLE);
  database.exec(MONTHS_TABLE);
  return database;
};

export class UsageMeter implements AsyncDisposable {
  readonly #path: string;
  readonly #log: Logger;
  readonly #pending = new Map<string, Pending>();
  /** Each key's forecasts of the last minute. */
  readonly #recent = new Map<string, MinuteCounter>();
  #database: Promise<DatabaseSync> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(path: string, log: Logger) {
    this.#path = path;
    this.#log = log;
  }

  /** Counts one forecast that was answered; returns at once. */
  record(keyId: string, { inferenceMs, series }: ForecastDone): void {
    const pending = this.#pending.get(keyId) ?? { requests: 0, inferenceMs: 0, series: 0 };
    pending.requests++;
    pending.inferenceMs += inferenceMs;
    pending.series += series;
    this.#pending.set(keyId, pending);
    const recent = this.#recent.get(keyId) ?? new MinuteCounter();
    recent.add(Date.now());
    this.#recent.set(keyId, recent);
    this.#timer ??= setTimeout(() => {
      this.flush().catch((error: unknown) =>
        this.#log.warn({ error: errorMessage(error) }, 'usage could not be written'),
      );
    }, WRITE_AFTER_MS).unref();
  }

  /** Writes what has gathered. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending.size === 0) return;
    const database = await this.#open();
    const now = new Date().toISOString();
    const add = database.prepare(ADD);
    const addToMonth = database.prepare(ADD_TO_MONTH);
    // Taken only now: what came in while the file was opened goes along.
    const batch = [...this.#pending];
    this.#pending.clear();
    try {
      database.exec('BEGIN');
      for (const [key, { requests, inferenceMs, series }] of batch) {
        add.run(key, requests, inferenceMs, series, now);
        addToMonth.run(key, now.slice(0, MONTH_LENGTH), requests);
      }
      database.exec('COMMIT');
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      for (const [key, counted] of batch) this.#giveBack(key, counted);
      throw error;
    }
  }

  #giveBack(key: string, { requests, inferenceMs, series }: Pending): void {
    const newer = this.#pending.get(key) ?? { requests: 0, inferenceMs: 0, series: 0 };
    this.#pending.set(key, {
      requests: newer.requests + requests,
      inferenceMs: newer.inferenceMs + inferenceMs,
      series: newer.series + series,
    });
  }

  /** Forecasts of one key in the last minute and in this month (UTC). */
  async recentOf(keyId: string): Promise<{ readonly minute: number; readonly month: number }> {
    await this.flush();
    const month = new Date().toISOString().slice(0, MONTH_LENGTH);
    const found = (await this.#open())
      .prepare('SELECT request_count FROM usage_by_month WHERE key_id = ? AND month = ?')
      .get(keyId, month);
    const minute = this.#recent.get(keyId)?.count(Date.now()) ?? 0;
    return { minute, month: Number(found?.request_count ?? 0) };
  }

  /** What one key has used so far. */
  async of(keyId: string): Promise<Usage> {
    await this.flush();
    const found = (await this.#open()).prepare('SELECT * FROM usage WHERE key_id = ?').get(keyId);
    const items = found ? [{ ...found } as unknown as KeyUsage] : [];
    const sum = (field: 'request_count' | 'total_inference_ms' | 'series_processed'): number =>
      items.reduce((total, item) => total + item[field], 0);
    return {
      items,
      summary: {
        keys: items.length,
        request_count: sum('request_count'),
        total_inference_ms: sum('total_inference_ms'),
        series_processed: sum('series_processed'),
      },
    };
  }

  #open(): Promise<DatabaseSync> {
    this.#database ??= open(this.#path).catch((error: unknown) => {
      this.#database = undefined;
      throw error;
    });
    return this.#database;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush().catch((error: unknown) =>
      this.#log.warn({ error: errorMessage(error) }, 'usage could not be written'),
    );
    (await this.#database?.catch(() => undefined))?.close();
    this.#database = undefined;
  }
}
