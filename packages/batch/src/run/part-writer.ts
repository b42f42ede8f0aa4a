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
  /** Ends the last part. */
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

export const createPartWriter = (
  paths: RunPaths,
  layout: PartLayout,
  { state: first, startedAt, now }: PartWriterOptions,
): PartWriter => {
  let state = first;
  let open: OpenPart | undefined;
  let since = startedAt;
  const start = (): OpenPart => ({
    parquet: createParquetPart(layout),
    outcomes: [],
    errors: '',
    series: 0,
    failed: 0,
    lastId: '',
  });
  const close = async (): Promise<void> => {
    if (!open) return;
    const { parquet, outcomes, errors, series, failed, lastId } = open;
    const index = state.parts.length;
    const file = parquet.rows > 0 ? paths.part(index) : null;
    if (file !== null) await writeWhole(join(paths.output, file), parquet.finish());
    await writeWhole(paths.partErrors(index), errors);
    const chunks = outcomes.length;
    const part: Part = { file, chunks, series, rows: parquet.rows, failed, lastId };
    const elapsedMs = state.elapsedMs + now() - since;
    since = now();
    state = { ...state, parts: [...state.parts, part], elapsedMs };
    await writeRunState(paths, state);
    open = undefined;
    for (const { forget } of outcomes) await forget();
  };
  return {
    get state() {
      return state;
    },
    get counts() {
      return {
        series: sumOf(state.parts, 'series') + (open?.series ?? 0),
        failed: sumOf(state.parts, 'failed') + (open?.failed ?? 0),
      };
    },
    async add({ chunk, block, forget }) {
      open ??= start();
      open.parquet.add(block);
      open.outcomes.push({ forget });
      open.errors += errorLines(block.failures);
      open.series += chunk.series;
      open.failed += block.failures.length;
      open.lastId = chunk.lastId;
      if (open.outcomes.length >= PART.chunks || open.parquet.rows >= PART.rows) await close();
    },
    finish: close,
  };
};
