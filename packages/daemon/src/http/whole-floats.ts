/** Integers are written as integers: `3.0` is none (daemon contract, section 2), which JSON.parse does not tell. */
import type { SchemaIssue } from '@tollama/core/schema-issues';

/** Fields of the daemon's own bodies that are integers. */
const INTEGER_NAMES =
  'horizon|max_workers|mase_seasonality|ensemble_top_k|intervention_index|depth|count|length|seed|windows|step';
const INTEGER_NAME = new RegExp(`^(?:${INTEGER_NAMES})$`);
const FLOAT_LITERAL = /[.eE]/;
const SUSPECT = new RegExp(`"(?:${INTEGER_NAMES})"\\s*:\\s*-?\\d+[.eE]`);
/** What callers may fill freely: names mean nothing in there. */
const FREE = new Set(['options', 'static_covariates', 'metadata']);

class WholeFloat {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

type Reviver = (
  this: unknown,
  key: string,
  value: unknown,
  context?: { source?: string },
) => unknown;

const mark: Reviver = (key, value, context) =>
  INTEGER_NAME.test(key) && Number.isInteger(value) && FLOAT_LITERAL.test(context?.source ?? '')
    ? new WholeFloat(value as number)
    : value;

const find = (value: unknown, loc: readonly (string | number)[]): SchemaIssue[] => {
  if (value instanceof WholeFloat) {
    const msg = 'Input should be a valid integer';
    return [{ type: 'int_type', loc, msg, input: value.value }];
  }
  if (Array.isArray(value)) return value.flatMap((each, at) => find(each, [...loc, at]));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) =>
    FREE.has(key) ? [] : find(each, [...loc, key]),
  );
};

/** Issues of integer fields that a valid JSON text has as `3.0` or `3e0`; bodies without such are only scanned. */
export const wholeFloats = (text: string): SchemaIssue[] =>
  SUSPECT.test(text)
    ? find(JSON.parse(text, mark as Parameters<typeof JSON.parse>[1]), ['body'])
    : [];
