/** Short names of data, tasks and plans: the first 16 hexadecimal digits of SHA-256. */
import { createHash } from 'node:crypto';
import type { LongFrame } from '../frame/frame.ts';

const digest = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, 16);

const sortKeys = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sortKeys(inner)]));
};

/** JSON whose keys are sorted at every depth. */
export const sortedJson = (value: unknown, indent?: number): string =>
  JSON.stringify(sortKeys(value), undefined, indent);

/** Of a task or a plan. */
export const signatureOf = (value: unknown): string => digest(sortedJson(value));

const DATE = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2})?(?:\.\d+)?)?$/;

/** Times as YYYY-MM-DDTHH:MM:SS, everything else as text. */
const cellText = (value: unknown): string => {
  if (value instanceof Date) return value.toISOString().slice(0, 19);
  const match = typeof value === 'string' ? DATE.exec(value) : null;
  if (match) return `${match[1]}T${match[2] ?? '00:00'}${match[3] ?? ':00'}`;
  return value === null || value === undefined ? 'nan' : String(value);
};

/** Of a frame: `name:v1,v2,...;` for each column, the names in order. */
export const dataSignature = ({ names, columns }: LongFrame): string =>
  digest(
    [...names]
      .sort()
      .map((name) => `${name}:${columns.get(name)!.map(cellText).join(',')};`)
      .join(''),
  );
