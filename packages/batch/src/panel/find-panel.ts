/** From tables to a panel that can be read: samples, columns, covariates. */
import { TollamaError } from '@tollama/core/errors';
import { layOut, type PanelColumnOptions, type PanelTable } from './columns.ts';
import {
  type CovariateOptions,
  findCovariates,
  hasCovariates,
  type ModelSupport,
  usableCovariates,
} from './covariate-columns.ts';
import type { DuckDb } from './duckdb.ts';
import { type FutureTable, withCovariates } from './future-rows.ts';
import { sampleTable } from './read-sample.ts';
import type { TableSample } from './table-sample.ts';

/** A relation of SQL, and what users call it. */
export interface ShownTable {
  readonly table: string;
  readonly shown: string;
}

export interface FindPanelOptions {
  readonly panel: ShownTable;
  /** Rows after the panel's last ones, with the values of covariates that are known beforehand. */
  readonly future?: ShownTable | undefined;
  readonly columns: PanelColumnOptions;
  readonly covariates: CovariateOptions;
  readonly model: ModelSupport;
  readonly onWarning?: ((text: string) => void) | undefined;
}

/** Columns of both files that are not what the panel is made of: known over past and future. */
const sharedColumns = (
  sample: TableSample,
  future: FutureTable,
  { panel, columns, covariates }: FindPanelOptions,
): readonly string[] => {
  const taken = findCovariates(sample, covariates, panel.shown);
  const { layout } = layOut(panel.table, sample, {
    ...columns,
    ...{ shown: panel.shown, covariates: taken, mayHaveSeveral: true },
  });
  const { id, time, targets } = layout;
  const target = targets.length === 1 ? targets[0] : undefined;
  const others = [id, time, target, ...taken].map((column) => column?.name.toLowerCase());
  const inFuture = new Set(future.sample.columns.map(({ name }) => name.toLowerCase()));
  return sample.columns
    .map(({ name }) => name)
    .filter((name) => inFuture.has(name.toLowerCase()) && !others.includes(name.toLowerCase()));
};

/**
 * @throws TollamaError INVALID_INPUT for tables that are no panel, INVALID_REQUEST for covariates that the model
 * cannot use
 */
export const findPanel = async (
  database: DuckDb,
  options: FindPanelOptions,
): Promise<PanelTable> => {
  const { panel, columns, model, onWarning } = options;
  const sample = await sampleTable(database, panel.table, panel.shown);
  const future: FutureTable | undefined = options.future && {
    ...options.future,
    sample: await sampleTable(database, options.future.table, options.future.shown),
  };
  let asked = options.covariates;
  if (future && (asked.future?.length ?? 0) === 0) {
    asked = { ...asked, future: sharedColumns(sample, future, options) };
    if (asked.future?.length === 0) {
      throw new TollamaError(
        'INVALID_INPUT',
        `${future.shown} and ${panel.shown} have no covariate in common`,
        { hint: 'a covariate that is known beforehand stands in both, under the same name' },
      );
    }
  }
  const named = hasCovariates(asked) ? findCovariates(sample, asked, panel.shown) : [];
  const telling = { mode: asked.mode, ...(onWarning && { onWarning }) };
  const used = usableCovariates(named, model, telling);
  // All that were named are no series, whether or not the model can use them.
  const laid = layOut(panel.table, sample, { ...columns, shown: panel.shown, covariates: named });
  if (used.length === 0) {
    const { layout: _, ...bare } = laid;
    return { ...bare, columns: { ...laid.columns, covariates: [] } };
  }
  const kept = laid.columns.covariates.filter(({ name }) => used.some((one) => one.name === name));
  const knowing = kept.some(({ role }) => role === 'future') ? future : undefined;
  const whole = { ...laid, columns: { ...laid.columns, covariates: kept } };
  return withCovariates(whole, knowing, columns);
};
