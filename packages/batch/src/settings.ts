/** What is asked of every series of a panel: travels with each chunk, and is part of what a chunk's job is. */
import { LIMITS } from '@tollama/core/limits';
import { VERSION } from '@tollama/core/version';
import { contentHash } from '@tollama/queue';
import { z } from 'zod';

export const BatchSettings = z.strictObject({
  model: z.string().min(1),
  horizon: z.int().positive().max(LIMITS.horizon),
  /** Ascending levels in (0, 1). */
  quantiles: z.array(z.number().gt(0).lt(1)),
  /** Pandas alias, or auto. */
  freq: z.string().min(1),
  /** The model's own options. */
  options: z.record(z.string(), z.json()),
});
export type BatchSettings = z.infer<typeof BatchSettings>;

/** What a job of the queue `batch` says. */
export const ChunkJob = z.strictObject({
  /** Hash of the chunk's panel block. */
  chunk: z.string(),
  settings: BatchSettings,
});
export type ChunkJob = z.infer<typeof ChunkJob>;

/** What its result says. */
export const ChunkResult = z.strictObject({
  /** Hash of the forecast block. */
  output: z.string(),
  series: z.int(),
  failed: z.int(),
});
export type ChunkResult = z.infer<typeof ChunkResult>;

export const BATCH_QUEUE = 'batch';

/** The same chunk with the same settings and version is the same job, of whatever run. */
export const chunkJobId = (chunk: string, settings: BatchSettings): string => {
  const asked = contentHash(new TextEncoder().encode(JSON.stringify([VERSION, settings])));
  return `chunk-${chunk.slice(0, 40)}-${asked.slice(0, 16)}`;
};
