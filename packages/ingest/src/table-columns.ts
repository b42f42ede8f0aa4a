/** Rows as typed columns, ready to be written in a format that has types. */
import { millisecondsOfIso } from './iso-time.ts';

export type TableRow = Readonly<Record<string, unknown>>;

export type TableColumn =
  | { readonly name: string; readonly kind: 'number'; readonly values: readonly (number | null)[] }
  | { readonly name: string; readonly kind: 'text'; readonly values: readonly (string | null)[] }
  | {
      readonly name: string;
      readonly kind: 'boolean';
      readonly values: readonly (boolean | null)[];
    }
  /** Milliseconds since 1970. */
  | { readonly name: string; readonly kind: 'time'; readonly values: readonly (number | null)[] };

const isAbsent = (value: unknown): boolean => value === null || value === undefined;

const columnOf = (name: string, raw: readonly unknown[]): TableColumn => {
  const known = raw.filter((value) => !isAbsent(value));
  if (known.length > 0 && known.every((value) => typeof value === 'number')) {
    const values = raw.map((value) => (isAbsent(value) ? null : (value as number)));
    return { name, kind: 'number', values };
  }
  if (known.length > 0 && known.every((value) => typeof value === 'boolean')) {
    return {
      name,
      kind: 'boolean',
      values: raw.map((value) => (isAbsent(value) ? null : !!value)),
    };
  }
  const texts = raw.map((value) => (isAbsent(value) ? null : textOf(value)));
  const times = texts.map((text) => (text === null ? null : millisecondsOfIso(text)));
  const areTimes = known.length > 0 && times.every((time) => time !== undefined);
  return areTimes
    ? { name, kind: 'time', values: times as (number | null)[] }
    : { name, kind: 'text', values: texts };
};

const textOf = (value: unknown): string => {
  if (typeof value === 'string') return value;
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
};

/**
 * Columns of rows, in the order in which their names appear: numbers, booleans, times where every value is an ISO
 * text (without a zone: UTC), else texts. What a row lacks is null.
 */
export const tableColumns = (rows: readonly TableRow[]): TableColumn[] => {
  const names = new Set<string>();
  for (const row of rows) for (const name of Object.keys(row)) names.add(name);
  return [...names].map((name) =>
    columnOf(
      name,
      rows.map((row) => row[name]),
    ),
  );
};
