/** The native runtime that a user installed into the state folder, which runners take instead of their own. */
import { join } from 'node:path';
import { z } from 'zod';

/** `current.json` of the folder of runtimes. */
export const RuntimeChoice = z.object({
  /** cpu or cuda. */
  name: z.string(),
  /** Version of onnxruntime-node. */
  version: z.string(),
  /** Folder of the package. */
  folder: z.string(),
});
export type RuntimeChoice = z.infer<typeof RuntimeChoice>;

export const runtimesFolder = (home: string): string => join(home, 'runtimes');

export const runtimeChoicePath = (runtimes: string): string => join(runtimes, 'current.json');

/** DuckDB, which reads panels and databases: heavy, so it is fetched when it is asked for. */
export const DUCKDB = { package: '@duckdb/node-api', version: '1.5.6-r.1' } as const;

/** Where `tollama runtime install duckdb` puts it. */
export const duckDbFolder = (runtimes: string): string => join(runtimes, 'duckdb');
