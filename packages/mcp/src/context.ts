/** What the server's tools, resources and prompts work with. */
import type { TollamaClient } from '@tollama/client';
import type { Series } from '@tollama/core/series';
import type { RunStore } from './run-store.ts';

export interface DatasetEntry {
  readonly name: string;
  readonly sizeBytes: number;
}

/** Tables that the server's owner offers, so that data need not go through the model's context. */
export interface DatasetSource {
  list(): Promise<readonly DatasetEntry[]>;
  /** Throws NOT_FOUND for a name that is not in the list. */
  read(name: string, signal: AbortSignal): Promise<readonly Series[]>;
}

export interface McpContext {
  readonly client: TollamaClient;
  readonly runs: RunStore;
  /** Absent: no datasets are offered. */
  readonly datasets?: DatasetSource | undefined;
}
