/** Which run it is, or which one it goes on with; then its panel, ready to be read. */
import { TollamaError } from '@tollama/core/errors';
import { findColumns, type PanelColumns } from '../panel/columns.ts';
import type { DuckDb } from '../panel/duckdb.ts';
import { findInputs, type PanelInputs } from '../panel/inputs.ts';
import { planPanel } from '../panel/read-panel.ts';
import { tableOf } from '../panel/source.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { BatchOptions } from './run-batch.ts';
import { type RunPaths, type RunState, readRunState, writeRunState } from './run-folder.ts';

export interface BegunRun {
  readonly startedAt: number;
  readonly fingerprint: string;
  readonly inputs: PanelInputs;
  /** Of the run that it goes on with. */
  readonly state: RunState | undefined;
}

export interface OpenedRun {
  readonly startedAt: number;
  readonly state: RunState;
  readonly columns: PanelColumns;
  readonly table: string;
}

/**
 * @throws TollamaError INVALID_REQUEST when the folder holds another run, NOT_FOUND when there is none to go on with
 */
export const openRun = async (
  database: DuckDb,
  paths: RunPaths,
  options: BatchOptions,
): Promise<BegunRun> => {
  const { settings, chunk, columns, output, env = {}, signal, patience } = options;
  const startedAt = Date.now();
  const inputs = await findInputs(database, options.inputs, { env, signal, patience });
  // Refuses unknown kinds before anything is fetched.
  tableOf(inputs.names);
  const fingerprint = fingerprintOf(inputs.identities, { settings, chunk, columns });
  const state = await readRunState(paths);
  if (state && state.fingerprint !== fingerprint) {
    throw new TollamaError('INVALID_REQUEST', `${output} holds another batch run`, {
      hint: 'use the same inputs and settings to go on with it, another --output, or --fresh',
    });
  }
  if (!state && options.mustResume) {
    throw new TollamaError('NOT_FOUND', `${output} holds no batch run to go on with`, {
      hint: 'leave out --resume to start one',
    });
  }
  return { startedAt, fingerprint, inputs, state };
};

/** Fetches what is remote, finds the columns and, for a new run, looks through the rows once. */
export const openPanel = async (
  database: DuckDb,
  paths: RunPaths,
  { begun, options }: { readonly begun: BegunRun; readonly options: BatchOptions },
): Promise<OpenedRun> => {
  const { settings, signal, onStaged } = options;
  const { startedAt, fingerprint } = begun;
  const fetching = { folder: paths.staging, signal, onBytes: onStaged };
  const table = tableOf(await begun.inputs.fetch(fetching));
  const shown = options.inputs.join(', ');
  const columns = await findColumns(database, table, { shown, ...options.columns });
  if (begun.state) return { state: begun.state, columns, table, startedAt };
  const plan = await planPanel(database, { table, columns }, signal);
  const state: RunState = {
    ...{ fingerprint, settings, inputs: [...options.inputs], plan },
    ...{ parts: [], isDone: false, elapsedMs: 0 },
  };
  await writeRunState(paths, state);
  return { state, columns, table, startedAt };
};
