/**
 * A panel, series by series in the order of their ids, in bounded memory. Files that stand in that order are read
 * as they are; all others DuckDB sorts first, on disk where memory is short. Which it is, one quick pass over ids
 * and times tells beforehand.
 */
import { TollamaError } from '@tollama/core/errors';
import type { PanelSeries } from '../block/panel-block.ts';
import type { PanelTable } from './columns.ts';
import { type DuckDb, quoteText, readingFailed } from './duckdb.ts';
import { createSeriesRows, type RowVectors } from './series-rows.ts';

export interface PanelPlan {
  /** Whether the files stand in the order of ids and times. */
  readonly isOrdered: boolean;
  /** Exact where the files are ordered, about right otherwise. */
  readonly series: number;
  readonly rows: number;
  /** Rows without an id, which belong to no series. */
  readonly rowsWithoutId: number;
}

type Vector = { readonly items: ArrayLike<number>; getItem(at: number): unknown };

interface RowChunk extends RowVectors {
  readonly rowCount: number;
  /** Hashes of the ids. */
  readonly hashes: ArrayLike<bigint>;
  readonly idAt: (row: number) => string;
}

/** Columns of the select before those of covariates. */
const FIRST_COVARIATE = 5;

async function* streamRows(
  { connection }: DuckDb,
  sql: string,
  { covariates, signal }: { readonly covariates: number; readonly signal: AbortSignal },
): AsyncGenerator<RowChunk> {
  const failed = (cause: unknown): never => {
    throw readingFailed('the panel', cause);
  };
  const result = await connection.stream(sql).catch(failed);
  for (;;) {
    signal.throwIfAborted();
    const chunk = await result.fetchChunk().catch(failed);
    if (!chunk || chunk.rowCount === 0) return;
    const vector = (column: number) => chunk.getColumnVector(column) as unknown as Vector;
    const [hashes, ids, times, values] = [vector(0), vector(1), vector(2), vector(3)];
    const beside = Array.from({ length: covariates }, (_, k) => vector(FIRST_COVARIATE + k));
    yield {
      rowCount: chunk.rowCount,
      hashes: hashes.items as unknown as ArrayLike<bigint>,
      idAt: (row) => String(ids.getItem(row)),
      times: times.items,
      values: values.items,
      ...(covariates > 0 && {
        covariates: {
          isFuture: vector(FIRST_COVARIATE - 1).items,
          at: (column, row) => beside[column]!.getItem(row) as number | string | null,
        },
      }),
    };
  }
}

const selectSql = ({ table, columns }: PanelTable): string => {
  const { id, time, value, covariates } = columns;
  const kept = covariates.map(({ sql }, k) => `, ${sql} AS k${k}`).join('');
  const marked = covariates.length > 0 ? `, is_future AS f${kept}` : '';
  return `SELECT hash(${id}) AS h, ${id} AS id, ${time} AS t, ${value} AS y${marked} FROM ${table}`;
};

const orderSql = ({ table, columns: { id, time } }: PanelTable): string =>
  `SELECT hash(${id}) AS h, ${id} AS id, ${time} AS t, 0::DOUBLE AS y FROM ${table}`;

/** Ids as DuckDB orders them: whole numbers, or texts by their bytes in UTF-8. */
const compareIds = (a: string, b: string, hasIntegerIds: boolean): number => {
  if (!hasIntegerIds) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  const [x, y] = [BigInt(a), BigInt(b)];
  return x < y ? -1 : Number(x > y);
};

const firstNumber = async ({ connection }: DuckDb, sql: string): Promise<number> =>
  Number((await connection.runAndReadAll(sql)).getRows()[0]![0]);

/** One pass over ids and times, which ends at the first that is out of order. */
const findOrder = async (
  database: DuckDb,
  selection: PanelTable,
  signal: AbortSignal,
): Promise<{ isOrdered: boolean; series: number }> => {
  const { hasIntegerIds, id } = selection.columns;
  const sql = `${orderSql(selection)} WHERE ${id} IS NOT NULL`;
  let series = 0;
  let hash: bigint | undefined;
  let latestId = '';
  let latestTime = 0;
  for await (const { rowCount, hashes, idAt, times } of streamRows(database, sql, {
    covariates: 0,
    signal,
  })) {
    for (let row = 0; row < rowCount; row++) {
      const time = times[row]!;
      if (hashes[row] === hash) {
        if (!(time >= latestTime)) return { isOrdered: false, series };
      } else {
        const next = idAt(row);
        if (series > 0 && compareIds(latestId, next, hasIntegerIds) >= 0) {
          return { isOrdered: false, series };
        }
        latestId = next;
        hash = hashes[row];
        series++;
      }
      latestTime = time;
    }
  }
  return { isOrdered: true, series };
};

/**
 * Counts the rows and finds out whether they stand in order.
 *
 * @throws TollamaError INVALID_INPUT when the files cannot be read
 */
export const planPanel = async (
  database: DuckDb,
  selection: PanelTable,
  signal: AbortSignal,
): Promise<PanelPlan> => {
  const { table, columns, wide } = selection;
  if (wide) {
    const [first] = wide.ids;
    const each = await firstNumber(database, `SELECT count(*) FROM ${wide.tableOf([first!])}`);
    const series = wide.ids.length;
    return { isOrdered: false, series, rows: each * series, rowsWithoutId: 0 };
  }
  const counts = `SELECT count(*) FROM ${table}`;
  const rows = await firstNumber(database, counts);
  const rowsWithoutId = await firstNumber(database, `${counts} WHERE ${columns.id} IS NULL`);
  const { isOrdered, series } = await findOrder(database, selection, signal);
  const about = isOrdered
    ? series
    : await firstNumber(database, `SELECT approx_count_distinct(${columns.id}) FROM ${table}`);
  return { isOrdered, series: about, rows, rowsWithoutId };
};

export interface ReadOptions {
  readonly isOrdered: boolean;
  /** Series up to this id are left out. */
  readonly after?: string | undefined;
  readonly signal: AbortSignal;
}

/** The series of the panel, ascending by id; those of a wide one a group of columns after the other. */
export async function* readPanel(
  database: DuckDb,
  selection: PanelTable,
  options: ReadOptions,
): AsyncGenerator<PanelSeries> {
  const { wide, columns } = selection;
  const { after, signal } = options;
  if (!wide) return yield* readRows(database, selection, options);
  const ids = wide.ids.filter((id) => after === undefined || compareIds(after, id, false) < 0);
  for (let at = 0; at < ids.length; at += wide.together) {
    const table = wide.tableOf(ids.slice(at, at + wide.together));
    yield* readRows(database, { table, columns }, { isOrdered: false, signal });
  }
}

async function* readRows(
  database: DuckDb,
  selection: PanelTable,
  { isOrdered, after, signal }: ReadOptions,
): AsyncGenerator<PanelSeries> {
  const { id, hasIntegerIds, covariates } = selection.columns;
  const bound = after === undefined ? '' : hasIntegerIds ? String(BigInt(after)) : quoteText(after);
  const onlyAfter = bound === '' ? '' : ` AND ${id} > ${bound}`;
  const order = isOrdered ? '' : ' ORDER BY id, t';
  const sql = `${selectSql(selection)} WHERE ${id} IS NOT NULL${onlyAfter}${order}`;
  let hash: bigint | undefined;
  const rows = createSeriesRows(selection.columns);
  let current: string | undefined;
  const reading = { covariates: covariates.length, signal };
  for await (const chunk of streamRows(database, sql, reading)) {
    let from = 0;
    for (let row = 0; row < chunk.rowCount; row++) {
      if (chunk.hashes[row] === hash) continue;
      rows.add(chunk, from, row);
      if (current !== undefined) yield rows.take(current);
      const next = chunk.idAt(row);
      if (current !== undefined && compareIds(current, next, hasIntegerIds) >= 0) {
        throw new TollamaError('INVALID_INPUT', `series '${next}' comes after '${current}'`, {
          hint: 'the input changed while it was read; start again with --fresh',
        });
      }
      current = next;
      hash = chunk.hashes[row];
      from = row;
    }
    rows.add(chunk, from, chunk.rowCount);
  }
  if (current !== undefined) yield rows.take(current);
}
