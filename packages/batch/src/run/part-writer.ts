/** Gathers outcomes into parts; a part is written whole, then noted, then what it was made of is forgotten. */
import { join } from 'node:path';
import { createParquetPart, type ParquetPart, type PartLayout } from '../output/parquet-part.ts';
import type { ChunkOutcome } from './dispatcher.ts';
import {
  errorLines,
  type Part,
  type RunPaths,
  type RunState,
  writeRunState,
  writeWhole,
} from './run-folder.ts';

/** A part ends by what is in it alone, so that its bytes are the same however often the run was cut off. */
const PART = { chunks: 64, rows: 500_000 } as const;

interface OpenPart {
  readonly parquet: ParquetPart;
  readonly outcomes: Pick<ChunkOutcome, 'forget'>[];
  errors: string;
  series: number;
  failed: number;
  lastId: string;
}

export interface PartWriter {
  readonly state: RunState;
  /** Series that came back so far, those of unfinished parts included. */
  readonly counts: { readonly series: number; readonly failed: number };
  add(outcome: ChunkOutcome): Promise<void>;
  /** Ends the part at hand. */
  finish(): Promise<void>;
}

const sumOf = (parts: readonly Part[], key: 'series' | 'failed'): number =>
  parts.reduce((sum, part) => sum + part[key], 0);

export interface PartWriterOptions {
  readonly state: RunState;
  /** When the run began: looking through the panel is part of the time that it takes. */
  readonly startedAt: number;
  readonly now: () => number;
}

const newPart = (layout: PartLayout): OpenPart => ({
  parquet: createParquetPart(layout),
  outcomes: [],
  errors: '',
  series: 0,
  failed: 0,
  lastId: '',
});

class GatheringWriter implements PartWriter {
  readonly #paths: RunPaths;
  readonly #layout: PartLayout;
  readonly #now: () => number;
  #state: RunState;
  #since: number;
  #open: OpenPart | undefined;

  constructor(paths: RunPaths, layout: PartLayout, { state, startedAt, now }: PartWriterOptions) {
    this.#paths = paths;
    this.#layout = layout;
    this.#now = now;
    this.#state = state;
    this.#since = startedAt;
  }

  get state(): RunState {
    return this.#state;
  }

  get counts(): PartWriter['counts'] {
    const { parts } = this.#state;
    return {
      series: sumOf(parts, 'series') + (this.#open?.series ?? 0),
      failed: sumOf(parts, 'failed') + (this.#open?.failed ?? 0),
    };
  }

  async add({ chunk, block, forget }: ChunkOutcome): Promise<void> {
    this.#open ??= newPart(this.#layout);
    const open = this.#open;
    open.parquet.add(block);
    open.outcomes.push({ forget });
    open.errors += errorLines(block.failures);
    open.series += chunk.series;
    open.failed += block.failures.length;
    open.lastId = chunk.lastId;
    if (open.outcomes.length >= PART.chunks || open.parquet.rows >= PART.rows) await this.finish();
  }

  async finish(): Promise<void> {
    if (!this.#open) return;
    const { parquet, outcomes, errors, series, failed, lastId } = this.#open;
    const index = this.#state.parts.length;
    const file = parquet.rows > 0 ? this.#paths.part(index) : null;
    if (file !== null) await writeWhole(join(this.#paths.output, file), parquet.finish());
    await writeWhole(this.#paths.partErrors(index), errors);
    const chunks = outcomes.length;
    const part: Part = { file, chunks, series, rows: parquet.rows, failed, lastId };
    const now = this.#now();
    const elapsedMs = this.#state.elapsedMs + now - this.#since;
    this.#since = now;
    this.#state = { ...this.#state, parts: [...this.#state.parts, part], elapsedMs };
    await writeRunState(this.#paths, this.#state);
    this.#open = undefined;
    for (const { forget } of outcomes) await forget();
  }
}

/** A writer that goes on behind the parts that a state has. */
export const createPartWriter = (
  paths: RunPaths,
  layout: PartLayout,
  options: PartWriterOptions,
): PartWriter => new GatheringWriter(paths, layout, options);
