/** The data contract: columns, types, one row for each id and time, in order. All errors are collected. */
import { parseTimestamps } from '@tollama/core/frequency';
import { compareTimestamps, type Timestamp } from '@tollama/core/frequency/timestamp';
import { type AgentErrorDict, TSAgentKitError, toSessionError } from '../errors/session-error.ts';
import type { TaskSpec } from '../task/task-spec.ts';
import { type LongFrame, toFrame } from './frame.ts';

export interface ValidationWarning {
  readonly code: 'W_CONTRACT_AGGREGATED';
  readonly message: string;
  readonly count: number;
}

export interface ValidationReport {
  readonly valid: boolean;
  readonly errors: readonly AgentErrorDict[];
  readonly warnings: readonly ValidationWarning[];
  readonly stats: Readonly<Record<string, unknown>>;
}

/** Rows of one id, ascending in time. */
export interface SeriesRows {
  readonly id: string;
  readonly timestamps: readonly string[];
  readonly stamps: readonly Timestamp[];
  /** NaN where missing. */
  readonly values: readonly number[];
  /** The frame's row of each, for the other columns. */
  readonly rows: readonly number[];
}

export interface Validated {
  readonly report: ValidationReport;
  readonly frame: LongFrame | undefined;
  readonly groups: readonly SeriesRows[];
}

const pad = (value: number): string => String(value).padStart(2, '0');

/** Text of a time: texts as they are, dates as ISO without a zone, numbers counted. */
const stampText = (value: unknown): string => {
  if (value instanceof Date && !Number.isNaN(value.getTime())) {
    const date = `${value.getUTCFullYear()}-${pad(value.getUTCMonth() + 1)}-${pad(value.getUTCDate())}`;
    const clock = [value.getUTCHours(), value.getUTCMinutes(), value.getUTCSeconds()];
    return `${date}T${clock.map(pad).join(':')}`;
  }
  if (typeof value === 'string' && value.trim() !== '') return value.trim();
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  if (typeof value === 'bigint') return String(value);
  throw new TypeError(`${JSON.stringify(value) ?? String(value)} is no time`);
};

/** A number, NaN where missing. */
const numberOf = (value: unknown): number => {
  if (value === null || value === undefined || value === '') return Number.NaN;
  if (typeof value === 'number') return Number.isFinite(value) ? value : Number.NaN;
  if (typeof value === 'bigint') return Number(value);
  const read = typeof value === 'string' ? Number(value) : Number.NaN;
  if (Number.isFinite(read) || value === 'NaN' || value === 'nan') return read;
  throw new TypeError(`${JSON.stringify(value) ?? String(value)} is no number`);
};

class Checking {
  readonly errors: TSAgentKitError[] = [];
  readonly warnings: ValidationWarning[] = [];

  /** The value, or undefined when it cannot be had; the error is kept. */
  attempt<T>(name: string, read: () => T, fixHint = ''): T | undefined {
    try {
      return read();
    } catch (error) {
      const found = toSessionError(error, 'E_CONTRACT_INVALID_TYPE', { column: name });
      const { code, reason, context } = found;
      this.errors.push(
        found.fixHint === '' ? new TSAgentKitError(code, reason, { context, fixHint }) : found,
      );
      return undefined;
    }
  }
}

interface KeyColumns {
  readonly ids: readonly string[];
  readonly times: readonly string[];
  readonly stamps: readonly Timestamp[];
  readonly values: readonly number[];
}

const idText = (value: unknown): string => {
  if (value === null || value === undefined || value === '')
    throw new TypeError('an id is missing');
  return String(value);
};

const A_TIME = 'give times as ISO 8601, such as 2024-01-31T12:00:00, or as counted steps';

const readColumns = (
  frame: LongFrame,
  { panel }: TaskSpec,
  checking: Checking,
): KeyColumns | undefined => {
  const names = [panel.unique_id, panel.ds, panel.y];
  const missing = names.filter((name) => !frame.columns.has(name));
  for (const name of missing) {
    checking.errors.push(
      new TSAgentKitError('E_CONTRACT_MISSING_COLUMN', `there is no column '${name}'`, {
        context: { column: name, columns: frame.names },
        fixHint: `rename a column to '${name}', or name yours in the task spec's panel`,
      }),
    );
  }
  if (missing.length > 0) return undefined;
  const read = <T>(name: string, cell: (value: unknown) => T, hint: string): T[] | undefined =>
    checking.attempt(name, () => frame.columns.get(name)!.map(cell), hint);
  const ids = read(panel.unique_id, idText, 'give each row the id of its series');
  const times = read(panel.ds, stampText, A_TIME);
  const stamps = times && checking.attempt(panel.ds, () => parseTimestamps(times), A_TIME);
  const values = read(panel.y, numberOf, 'give numbers; leave a cell empty where none is known');
  return ids && times && stamps && values ? { ids, times, stamps, values } : undefined;
};

interface MutableRows {
  readonly id: string;
  readonly timestamps: string[];
  readonly stamps: Timestamp[];
  readonly values: number[];
  readonly rows: number[];
}

/** By id, each ascending in time; says whether the frame was in that order. */
const groupRows = ({
  ids,
  times,
  stamps,
  values,
}: KeyColumns): { readonly groups: MutableRows[]; readonly isSorted: boolean } => {
  const byId = new Map<string, number[]>();
  let isSorted = true;
  ids.forEach((id, i) => {
    if (i > 0) {
      const before = ids[i - 1]!;
      if (id < before || (id === before && compareTimestamps(stamps[i]!, stamps[i - 1]!) < 0)) {
        isSorted = false;
      }
    }
    const rows = byId.get(id);
    if (rows) rows.push(i);
    else byId.set(id, [i]);
  });
  const groups = [...byId]
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([id, rows]) => {
      const order = rows.sort((a, b) => compareTimestamps(stamps[a]!, stamps[b]!) || a - b);
      return {
        id,
        rows: order,
        timestamps: order.map((i) => times[i]!),
        stamps: order.map((i) => stamps[i]!),
        values: order.map((i) => values[i]!),
      };
    });
  return { groups, isSorted };
};

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return Number.isInteger(middle)
    ? (sorted[middle - 1]! + sorted[middle]!) / 2
    : sorted[Math.floor(middle)]!;
};

/** Of the known values of rows with the same time; NaN without one. */
const AGGREGATE = {
  sum: (values: readonly number[]) => values.reduce((a, b) => a + b, 0),
  mean: (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length,
  median,
  last: (values: readonly number[]) => values.at(-1)!,
} as const;

/** One row for each time; gives the number of rows that were joined to others. */
const aggregateRows = (group: MutableRows, aggregation: TaskSpec['panel']['aggregation']) => {
  const { timestamps, stamps, values, rows, id } = group;
  const starts = stamps.flatMap((stamp, i) =>
    i > 0 && compareTimestamps(stamp, stamps[i - 1]!) === 0 ? [] : [i],
  );
  const doubled = stamps.length - starts.length;
  if (doubled === 0 || aggregation === 'reject') return { group, doubled };
  const joined = starts.map((start, k) => {
    const known = values.slice(start, starts[k + 1]).filter((value) => !Number.isNaN(value));
    return known.length > 0 ? AGGREGATE[aggregation](known) : Number.NaN;
  });
  const at = <T>(list: readonly T[]): T[] => starts.map((start) => list[start]!);
  return {
    group: { id, timestamps: at(timestamps), stamps: at(stamps), rows: at(rows), values: joined },
    doubled,
  };
};

const checkDuplicates = (
  groups: readonly MutableRows[],
  { panel }: TaskSpec,
  checking: Checking,
): MutableRows[] => {
  const parts = groups.map((group) => aggregateRows(group, panel.aggregation));
  const count = parts.reduce((sum, { doubled }) => sum + doubled, 0);
  if (count > 0 && panel.aggregation === 'reject') {
    const first = parts.find(({ doubled }) => doubled > 0)!;
    checking.errors.push(
      new TSAgentKitError('E_CONTRACT_DUPLICATE_KEY', `${count} rows repeat an id and time`, {
        context: { count, unique_id: first.group.id },
        fixHint: 'remove them, or set panel.aggregation to sum, mean, median or last',
      }),
    );
  } else if (count > 0) {
    checking.warnings.push({
      code: 'W_CONTRACT_AGGREGATED',
      message: `${count} rows were joined to others of the same id and time (${panel.aggregation})`,
      count,
    });
  }
  return parts.map(({ group }) => group);
};

const reportOf = (
  checking: Checking,
  frame: LongFrame | undefined,
  groups: readonly SeriesRows[],
): ValidationReport => ({
  valid: checking.errors.length === 0,
  errors: checking.errors.map((error) => error.toAgentDict()),
  warnings: checking.warnings,
  stats: {
    n_rows: frame?.length ?? 0,
    n_series: groups.length,
    columns: frame?.names ?? [],
    shortest_series: groups.reduce(
      (least, { rows }) => Math.min(least, rows.length),
      Number.MAX_SAFE_INTEGER,
    ),
    longest_series: groups.reduce((most, { rows }) => Math.max(most, rows.length), 0),
  },
});

/** Checks a frame against the contract; errors are collected, not thrown. */
export const validateFrame = (data: unknown, spec: TaskSpec): Validated => {
  const checking = new Checking();
  const frame = checking.attempt('', () => toFrame(data));
  const columns = frame && readColumns(frame, spec, checking);
  if (!columns) return { report: reportOf(checking, frame, []), frame, groups: [] };
  const { groups, isSorted } = groupRows(columns);
  const unique = checkDuplicates(groups, spec, checking);
  if (!isSorted) {
    checking.errors.push(
      new TSAgentKitError('E_DS_NOT_MONOTONIC', 'rows are not sorted by id and time', {
        context: { columns: [spec.panel.unique_id, spec.panel.ds] },
        fixHint: `sort the rows by ${spec.panel.unique_id}, then by ${spec.panel.ds}`,
      }),
    );
  }
  return { report: reportOf(checking, frame, unique), frame, groups: unique };
};

/** The first error of a report as it would have been thrown. */
export const raiseFirst = ({ errors }: ValidationReport): void => {
  const [first] = errors;
  if (!first) return;
  throw new TSAgentKitError(first.error_code, first.message, {
    context: first.context,
    fixHint: first.fix_hint,
  });
};
