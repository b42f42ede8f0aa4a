/** Which run it is, or which one it goes on with; then its panel, ready to be read. */
import { join } from 'node:path';
import { TollamaError } from '@tollama/core/errors';
import { STATISTICAL_FAMILY } from '@tollama/core/statistical';
import { withoutArrow } from '../panel/arrow-files.ts';
import type { PanelTable } from '../panel/columns.ts';
import type { DuckDb } from '../panel/duckdb.ts';
import { findPanel } from '../panel/find-panel.ts';
import { findInputs, type PanelInputs } from '../panel/inputs.ts';
import { planPanel } from '../panel/read-panel.ts';
import { checkKinds, tableOf } from '../panel/source.ts';
import { shownInput } from '../remote/remote-files.ts';
import type { BatchOptions } from './batch-options.ts';
import { fingerprintOf } from './fingerprint.ts';
import { type RunPaths, type RunState, readRunState, writeRunState } from './run-folder.ts';

export interface BegunRun {
  readonly startedAt: number;
  readonly fingerprint: string;
  readonly inputs: PanelInputs;
  readonly future: PanelInputs | undefined;
  /** Of the run that it goes on with. */
  readonly state: RunState | undefined;
}

export interface OpenedRun {
  readonly startedAt: number;
  readonly state: RunState;
  readonly panel: PanelTable;
}

/**
 * @throws TollamaError INVALID_REQUEST when the folder holds another run, NOT_FOUND when there is none to go on with
 */
export const openRun = async (
  database: DuckDb,
  paths: RunPaths,
  options: BatchOptions,
): Promise<BegunRun> => {
  const { settings, chunk, columns, covariates, output, env = {}, signal, patience } = options;
  const startedAt = Date.now();
  const find = async (names: readonly string[]): Promise<PanelInputs> => {
    const found = await findInputs(database, names, { env, signal, patience });
    // Unknown kinds are refused before anything is fetched.
    checkKinds(found.names);
    return found;
  };
  const inputs = await find(options.inputs);
  const future = options.future?.length ? await find(options.future) : undefined;
  const identities = [...inputs.identities, '', ...(future?.identities ?? [])];
  const fingerprint = fingerprintOf(identities, { settings, chunk, columns, covariates });
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
  return { startedAt, fingerprint, inputs, future, state };
};

/** Fetches what is remote, finds the columns and, for a new run, looks through the rows once. */
export const openPanel = async (
  database: DuckDb,
  paths: RunPaths,
  { begun, options }: { readonly begun: BegunRun; readonly options: BatchOptions },
): Promise<OpenedRun> => {
  const { settings, signal, onStaged, onWarning } = options;
  const { startedAt, fingerprint, inputs, future } = begun;
  const fetching = { folder: paths.staging, signal, onBytes: onStaged };
  const staged = (part: string) => ({ folder: join(paths.staging, `arrow-${part}`), signal });
  const table = async (found: PanelInputs, names: readonly string[], part: string) => ({
    table: tableOf(await withoutArrow(database, await found.fetch(fetching), staged(part))),
    shown: names.map(shownInput).join(', '),
  });
  const panel = await findPanel(database, {
    panel: await table(inputs, options.inputs, 'panel'),
    future: future && (await table(future, options.future ?? [], 'future')),
    columns: options.columns ?? {},
    covariates: options.covariates ?? {},
    model: {
      model: settings.model,
      family: STATISTICAL_FAMILY,
      support: undefined,
      ...options.support,
    },
    onWarning,
  });
  if (begun.state) return { state: begun.state, panel, startedAt };
  const plan = await planPanel(database, panel, signal);
  const state: RunState = {
    ...{ fingerprint, settings, inputs: options.inputs.map(shownInput), plan },
    ...{ parts: [], isDone: false, elapsedMs: 0 },
  };
  await writeRunState(paths, state);
  return { state, panel, startedAt };
};
