/** How DuckDB gives times, numbers and words, whatever type a column has. */
import type { TimeKind } from '../block/panel-block.ts';
import { quoteName, quoteText } from './duckdb.ts';

const INTEGER = /^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/;
const MISSING = ['', 'na', 'nan', 'null', 'none', 'n/a', '-'].map(quoteText).join(', ');
const NOTATIONS = ['%Y-%m', '%Y/%m/%d', '%Y%m%d', '%d.%m.%Y'].map(quoteText).join(', ');
/** The end of a text that names its distance from UTC. */
const OFFSET = quoteText('[0-9](Z|z|[+-][0-9]{2}(:?[0-9]{2})?)$');

/**
 * Microseconds since 1970, or the whole number itself; NaN where missing. Times with a zone are told in UTC, or as
 * the clocks of `timeZone` show them.
 */
export const timeSql = (
  name: string,
  type: string,
  timeZone?: string,
): { readonly kind: TimeKind; readonly sql: string } => {
  const column = quoteName(name);
  const micros = (moment: string): string => `coalesce(epoch_us(${moment})::DOUBLE, 'nan'::DOUBLE)`;
  const local = (moment: string): string =>
    timeZone === undefined ? moment : `timezone(${quoteText(timeZone)}, ${moment})`;
  if (INTEGER.test(type)) {
    return { kind: 'index', sql: `coalesce(${column}::DOUBLE, 'nan'::DOUBLE)` };
  }
  if (type === 'DATE' || type.startsWith('TIMESTAMP')) {
    const isZoned = type.endsWith('ZONE') || type === 'TIMESTAMPTZ';
    return { kind: 'time', sql: micros(isZoned ? local(column) : `${column}::TIMESTAMP`) };
  }
  const text = `trim(${column}::VARCHAR)`;
  const plain = `coalesce(TRY_CAST(${text} AS TIMESTAMP), try_strptime(${text}, [${NOTATIONS}]))`;
  if (timeZone === undefined) return { kind: 'time', sql: micros(plain) };
  const zoned = local(`TRY_CAST(${text} AS TIMESTAMPTZ)`);
  const isZoned = `length(${text}) > 10 AND regexp_matches(${text}, ${OFFSET})`;
  return { kind: 'time', sql: micros(`CASE WHEN ${isZoned} THEN ${zoned} ELSE ${plain} END`) };
};

/** A double: NaN where missing, infinite where no finite number. */
export const numberSql = (name: string, type: string): string => {
  const column = quoteName(name);
  const number = `coalesce(TRY_CAST(${column} AS DOUBLE), 'inf'::DOUBLE)`;
  const isMissing =
    type === 'VARCHAR'
      ? `${column} IS NULL OR lower(trim(${column})) IN (${MISSING})`
      : `${column} IS NULL`;
  return `CASE WHEN ${isMissing} THEN 'nan'::DOUBLE ELSE ${number} END`;
};

/** A text, or NULL. */
export const wordSql = (name: string): string => `${quoteName(name)}::VARCHAR`;
