/** Which column is the time, which the id, which hold the values to forecast. */

import { didYouMean } from '@tollama/core/did-you-mean';
import { parseTimestamps } from '@tollama/core/frequency/timestamp';
import { type Column, isTimeName } from './column-kinds.ts';
import { isMissing } from './number-cell.ts';
import { listNames, refuseInput } from './table.ts';

export interface ColumnOptions {
  /** Column of the series' ids. */
  readonly idColumn?: string | undefined;
  /** Column of the timestamps. */
  readonly timeColumn?: string | undefined;
  /** Columns of the values; several make several series. */
  readonly targetColumns?: readonly string[] | undefined;
}

export interface Layout {
  /** Undefined: one series for each target. */
  readonly id: Column | undefined;
  /** Undefined: rows are counted from 1. */
  readonly time: Column | undefined;
  readonly targets: readonly Column[];
  readonly covariates: readonly Column[];
  /** What was guessed, for the user. */
  readonly notes: readonly string[];
}

/** Names in the order of trust; letters of any case. */
const TIME_NAMES = [
  ...['ds', 'timestamp', 'time', 'date', 'datetime', 'date_time', 'observation_date'],
  ...['utc_timestamp', 'year', 'fecha'],
];
const ID_NAMES = [...['unique_id', 'item_id', 'series_id', 'series', 'id', 'entity', 'country']];
const TARGET_NAMES = [...['y', 'target', 'value', 'ot', 'demand', 'sales', 'close']];
/** Row numbers that tools write along. */
const UNNAMED = /^$|^unnamed: ?\d+$|^__index_level_\d+__$|^index$/i;

/** Parts of a date that stand beside it: no series of their own. */
const CALENDAR_NAMES =
  /^(?:year|quarter|month|week|day|hour|minute|weekday|day_?of_?(?:week|month|year))$/i;

/** Whether a name in an option means a column: letters of any case. */
export const sameName = (asked: string, name: string): boolean =>
  asked.toLowerCase() === name.toLowerCase();

const named = (columns: readonly Column[], name: string): Column | undefined =>
  columns.find((column) => column.name === name) ??
  columns.find((column) => sameName(name, column.name));

const asked = (
  { file, columns }: Guessing,
  name: string,
  option: '--id-col' | '--time-col' | '--target-col',
): Column => {
  const found = named(columns, name);
  if (found) return found;
  const names = columns.map((column) => column.name);
  const closest = didYouMean(name, names);
  const suggestion = closest === undefined ? '' : `did you mean '${closest}'? `;
  return refuseInput(file, `${option}: there is no column '${name}'`, {
    hint: `${suggestion}columns are ${listNames(names)}`,
  });
};

interface Guessing {
  readonly file: string;
  readonly columns: readonly Column[];
}

const firstNamed = (columns: readonly Column[], names: readonly string[]): Column | undefined => {
  for (const name of names) {
    const found = named(columns, name);
    if (found) return found;
  }
  return undefined;
};

const presentTexts = (column: Column): string[] =>
  column.sample.filter((cell) => !isMissing(cell)).map((cell) => String(cell));

/** Whole numbers that are years, dates or epochs, and ascend. */
const isNumberedTime = (column: Column): boolean => {
  const texts = presentTexts(column);
  if (column.kind !== 'number' || texts.length < 3) return false;
  try {
    return parseTimestamps(texts).every(
      (stamp, i, all) =>
        stamp.kind === 'moment' && (i === 0 || Number(texts[i]) > Number(all[i - 1]!.text)),
    );
  } catch {
    return false;
  }
};

const isUnique = (column: Column): boolean => {
  const texts = presentTexts(column);
  return new Set(texts).size === texts.length;
};

const guessTime = (columns: readonly Column[]): Column | undefined => {
  const isTimeLike = (column: Column) => column.kind === 'date' || column.kind === 'number';
  return (
    firstNamed(columns.filter(isTimeLike), TIME_NAMES) ??
    columns.find((column) => column.kind === 'date') ??
    columns.slice(0, 1).find((column) => isNumberedTime(column) && columns.length > 1) ??
    columns.slice(0, 1).find((column) => UNNAMED.test(column.name) && columns.length > 1) ??
    firstNamed(columns, TIME_NAMES)
  );
};

/** Whether each value of a column stands but once at each time. */
const partsTimes = (column: Column, time: Column): boolean => {
  const pairs = column.sample.map((cell, i) => JSON.stringify([cell, time.sample[i]]));
  return new Set(pairs).size === pairs.length;
};

/** A number for each row, which some tools write along. */
const isRowNumber = (column: Column, time: Column | undefined): boolean =>
  column.kind === 'number' &&
  column.sample.length >= 3 &&
  isUnique(column) &&
  (time === undefined || isUnique(time));

/** A column by its name, or the first column of words that tells rows of the same time apart. */
const guessId = (columns: readonly Column[], time: Column | undefined): Column | undefined => {
  const byName = firstNamed(columns, ID_NAMES);
  if (byName && !isRowNumber(byName, time)) return byName;
  if (!time || isUnique(time)) return undefined;
  return columns.find(
    (column) => column.kind === 'text' && !isUnique(column) && partsTimes(column, time),
  );
};

const refuseNoNumbers = ({ file, columns }: Guessing): never => {
  const kinds = columns.map((column) => `${column.name} (${column.kind})`);
  return refuseInput(file, `no column of numbers to forecast among ${listNames(kinds)}`, {
    hint: 'name it with --target-col, or check the delimiter and the decimal sign',
  });
};

const without = (columns: readonly Column[], ...taken: readonly (Column | undefined)[]): Column[] =>
  columns.filter((column) => !taken.includes(column));

const checkNames = ({ file, columns }: Guessing): void => {
  const times = columns.filter((column) => isTimeName(column.name));
  if (times.length < 2 || times.length * 2 < columns.length) return;
  const shown = listNames(
    times.map(({ name }) => `'${name}'`),
    2,
  );
  refuseInput(file, `the columns ${shown} are times; one row for each time is needed`, {
    hint: 'turn the table round: columns unique_id, ds, y, or ds and a column for each series',
  });
};

/** Columns that could be forecast or go along as covariates. */
const usableColumns = (columns: readonly Column[], time: Column | undefined): Column[] =>
  columns.filter(
    (column) =>
      column.kind !== 'missing' &&
      !UNNAMED.test(column.name) &&
      !(time && CALENDAR_NAMES.test(column.name)) &&
      !(ID_NAMES.includes(column.name.toLowerCase()) && isRowNumber(column, time)),
  );

/**
 * Finds the layout by the options, else by the names that frames of the field have (`unique_id, ds, y` and
 * many more), else by what is in the columns.
 *
 * @throws TollamaError INVALID_INPUT for a column that does not exist, or when nothing can be forecast
 */
export const guessLayout = (
  file: string,
  columns: readonly Column[],
  { idColumn, timeColumn, targetColumns = [] }: ColumnOptions,
): Layout => {
  const guessing = { file, columns };
  checkNames(guessing);
  const askedTargets = targetColumns.map((name) => asked(guessing, name, '--target-col'));
  const askedId = idColumn === undefined ? undefined : asked(guessing, idColumn, '--id-col');
  const free = without(columns, askedId, ...askedTargets);
  const time =
    timeColumn === undefined ? guessTime(free) : asked(guessing, timeColumn, '--time-col');
  const id = askedId ?? guessId(without(free, time), time);
  const rest = without(columns, id, time);
  const usable = usableColumns(rest, time);
  const byName = firstNamed(rest, TARGET_NAMES);
  const numeric = (among: readonly Column[]) => among.filter(({ kind }) => kind === 'number');
  const isChosen = askedTargets.length > 0 || byName !== undefined;
  const targets = [askedTargets, byName ? [byName] : [], numeric(usable), numeric(rest)].find(
    (some) => some.length > 0,
  );
  if (!targets) return refuseNoNumbers(guessing);
  const covariates = isChosen
    ? without(usable, ...targets).filter(({ kind }) => kind !== 'date')
    : [];
  const left = without(rest, ...targets, ...covariates).filter(({ name }) => !UNNAMED.test(name));
  const layout = { id, time, targets, covariates };
  return { ...layout, notes: layoutNotes(layout, left) };
};

const displayName = ({ name, index }: Column): string =>
  name === '' ? `column ${index + 1}` : `'${name}'`;

const quoted = (columns: readonly Column[]): string => listNames(columns.map(displayName));

const layoutNotes = (
  { id, time, targets, covariates }: Omit<Layout, 'notes'>,
  left: readonly Column[],
): string[] => {
  const isCanonical =
    time?.name === 'ds' && (!id || id.name === 'unique_id') && targets[0]?.name === 'y';
  const roles = [
    time ? `time ${displayName(time)}` : 'no time column, rows are counted from 1',
    ...(id ? [`series by ${displayName(id)}`] : []),
    `${targets.length > 1 ? `${targets.length} series` : 'values'} ${quoted(targets)}`,
    ...(covariates.length > 0 ? [`covariates ${quoted(covariates)}`] : []),
  ];
  return [
    ...(isCanonical && covariates.length === 0 ? [] : [roles.join(', ')]),
    ...(left.length > 0 ? [`left out: ${quoted(left)}`] : []),
  ];
};
