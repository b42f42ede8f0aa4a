/** What the upstream answers, and whether it is what was asked for. */
import { errorMessage } from '@tollama/core/errors';
import { schemaFailure, shapeFailure } from './failure.ts';

export interface UpstreamAnswer {
  /** level -> one value a step, in the space of the transform. */
  readonly quantiles: ReadonlyMap<number, readonly number[]>;
  readonly meta: Readonly<Record<string, unknown>>;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Our daemon's /api/forecast answers in lines; the last one carries the response. */
const lastLine = (text: string): unknown => {
  const last = text.trimEnd().split('\n').at(-1) ?? '';
  const line: unknown = JSON.parse(last);
  return isObject(line) && isObject(line.response) ? line.response : line;
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (cause) {
    try {
      if (text.includes('\n')) return lastLine(text);
    } catch {
      // The first error tells more.
    }
    throw schemaFailure('JSONDecodeError', errorMessage(cause), cause);
  }
};

const rowsIn = (body: Record<string, unknown>): Record<string, unknown> | undefined => {
  const [first] = Array.isArray(body.forecasts) ? body.forecasts : [];
  const candidates = [body.quantiles, body.yhat_q, isObject(first) ? first.quantiles : undefined];
  return candidates.filter(isObject).find((rows) => Object.keys(rows).length > 0);
};

const toNumber = (value: unknown, level: string): number => {
  if (typeof value === 'number') return value;
  if (typeof value === 'string' && value.trim() !== '' && !Number.isNaN(Number(value))) {
    return Number(value);
  }
  throw schemaFailure('TypeError', `quantile ${level} holds ${JSON.stringify(value)}`);
};

const toRow = (values: unknown, level: string): number[] => {
  if (!Array.isArray(values)) throw schemaFailure('TypeError', `quantile ${level} is not a list`);
  return values.map((value) => toNumber(value, level));
};

/** Reads an answer of any of the known forms. Throws UpstreamFailure. */
export const readAnswer = (text: string): UpstreamAnswer => {
  const body = parseJson(text);
  if (!isObject(body)) throw schemaFailure('TypeError', 'the answer is not a JSON object');
  const rows = rowsIn(body);
  if (!rows) throw schemaFailure('TollamaError', 'tollama response missing quantiles');
  const quantiles = Object.entries(rows).map(([level, values]): [number, number[]] => {
    const parsed = Number(level);
    if (level.trim() === '' || Number.isNaN(parsed)) {
      throw schemaFailure('ValueError', `'${level}' is not a quantile level`);
    }
    return [parsed, toRow(values, level)];
  });
  return { quantiles: new Map(quantiles), meta: isObject(body.meta) ? body.meta : {} };
};

/** Numbers as the original writes them in its messages. */
const list = (values: readonly number[]): string =>
  `[${values.map((value) => (Number.isInteger(value) ? `${value}.0` : value)).join(', ')}]`;

/**
 * The answer as rows [levels][horizon], after making sure that it has exactly the levels, the horizon, and
 * finite values. Throws UpstreamFailure.
 */
export const rowsOf = (
  { quantiles }: UpstreamAnswer,
  levels: readonly number[],
  horizon: number,
): readonly (readonly number[])[] => {
  const got = [...quantiles.keys()].sort((a, b) => a - b);
  if (got.length !== levels.length || levels.some((level, i) => level !== got[i])) {
    throw shapeFailure(`quantile_set_mismatch: expected=${list(levels)} got=${list(got)}`);
  }
  const rows = levels.map((level) => quantiles.get(level)!);
  for (const [i, row] of rows.entries()) {
    if (row.length !== horizon) {
      throw shapeFailure(`horizon_mismatch:q=${levels[i]} expected=${horizon} got=${row.length}`);
    }
    if (!row.every(Number.isFinite)) throw shapeFailure(`non_finite_value:q=${levels[i]}`);
  }
  return rows;
};
