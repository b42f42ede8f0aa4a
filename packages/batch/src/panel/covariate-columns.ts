/** Columns that go along with the values: known over the past, over the future too, or the same for a whole series. */
import { type CovariateSupport, NO_COVARIATES } from '@tollama/core/capabilities';
import {
  type CovariateKind,
  supportsCovariate,
  unsupportedCovariate,
} from '@tollama/core/covariate-support';
import { didYouMean } from '@tollama/core/did-you-mean';
import { TollamaError } from '@tollama/core/errors';
import type { Column } from '@tollama/ingest/column-kinds';
import { numberSql, wordSql } from './cell-sql.ts';
import type { TableSample } from './table-sample.ts';

export type CovariateRole = 'past' | 'future' | 'static';

export interface CovariateOptions {
  /** Columns whose values are known up to the last time. */
  readonly past?: readonly string[] | undefined;
  /** Columns whose values are known over the horizon too. */
  readonly future?: readonly string[] | undefined;
  /** Columns with one value a series. */
  readonly static?: readonly string[] | undefined;
  /** strict: what the model cannot use is refused; best_effort: it is left out and told. */
  readonly mode?: 'strict' | 'best_effort' | undefined;
}

export interface CovariateColumn {
  readonly name: string;
  readonly role: CovariateRole;
  readonly isNumeric: boolean;
  /** A double (NaN where missing, infinite where no number), or a text (NULL where missing). */
  readonly sql: string;
}

const ROLES: readonly CovariateRole[] = ['past', 'future', 'static'];

/** Whether any column is named. */
export const hasCovariates = (options: CovariateOptions): boolean =>
  ROLES.some((role) => (options[role]?.length ?? 0) > 0);

const named = (
  { columns }: TableSample,
  { name, role, shown }: { readonly name: string; readonly role: string; readonly shown: string },
): Column => {
  const found =
    columns.find((column) => column.name === name) ??
    columns.find((column) => column.name.toLowerCase() === name.toLowerCase());
  if (found) return found;
  const names = columns.map((column) => column.name);
  const closest = didYouMean(name, names);
  throw new TollamaError('INVALID_INPUT', `${shown}: there is no column '${name}'`, {
    hint: closest === undefined ? `check --${role}-covariates` : `did you mean '${closest}'?`,
  });
};

/**
 * Finds the columns by their names.
 *
 * @throws TollamaError INVALID_INPUT for a name that no column has, INVALID_REQUEST for one with two roles
 */
export const findCovariates = (
  sample: TableSample,
  options: CovariateOptions,
  shown: string,
): readonly CovariateColumn[] => {
  const found = ROLES.flatMap((role) =>
    (options[role] ?? []).map((asked): CovariateColumn => {
      const column = named(sample, { name: asked, role, shown });
      const type = sample.typeOf(column);
      const isNumeric = column.kind === 'number' || type === 'BOOLEAN';
      const { name } = column;
      return { name, role, isNumeric, sql: isNumeric ? numberSql(name, type) : wordSql(name) };
    }),
  );
  const names = found.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return found;
  throw new TollamaError('INVALID_REQUEST', `covariate '${twice}' is named twice`, {
    hint: 'a column is past, future or static; future ones are known over the past as well',
  });
};

const REMEDY =
  'leave the covariate out, choose another model, or use --covariates-mode best_effort';

const kindOf = ({ role, isNumeric }: CovariateColumn): CovariateKind => {
  if (role === 'static') return 'static';
  return `${role === 'future' ? 'known-future' : 'past-only'} ${isNumeric ? 'numeric' : 'categorical'}`;
};

/** What is known of the model that will be asked. */
export interface ModelSupport {
  readonly model: string;
  readonly family: string;
  readonly support: CovariateSupport | undefined;
}

/**
 * The columns that the model uses.
 *
 * @throws TollamaError INVALID_REQUEST for one that it cannot use, unless the mode is best_effort
 */
export const usableCovariates = (
  columns: readonly CovariateColumn[],
  { support = NO_COVARIATES, ...model }: ModelSupport,
  {
    mode,
    onWarning,
  }: Pick<CovariateOptions, 'mode'> & { readonly onWarning?: (text: string) => void },
): readonly CovariateColumn[] =>
  columns.filter((column) => {
    const kind = kindOf(column);
    if (supportsCovariate(support, kind)) return true;
    const message = unsupportedCovariate(model, kind, `covariate='${column.name}'`);
    if (mode !== 'best_effort') {
      throw new TollamaError('INVALID_REQUEST', message, { hint: REMEDY });
    }
    onWarning?.(`ignoring unsupported covariate: ${message}`);
    return false;
  });
