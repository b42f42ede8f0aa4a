/**
 * zod's issues in the words that clients of the contract know: a list of {type, loc, msg, input?, ctx?},
 * `loc` starting with "body" (daemon contract, section 2).
 */
import type { z } from 'zod';
import { TollamaError } from './errors.ts';
import { isIntegerField } from './integer-field.ts';

export interface SchemaIssue {
  readonly type: string;
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly input?: unknown;
  readonly ctx?: Readonly<Record<string, unknown>>;
}

type ZodIssue = z.core.$ZodIssue;

const TYPE_ISSUES: Readonly<Record<string, readonly [type: string, msg: string]>> = {
  string: ['string_type', 'Input should be a valid string'],
  number: ['float_type', 'Input should be a valid number'],
  int: ['int_type', 'Input should be a valid integer'],
  boolean: ['bool_type', 'Input should be a valid boolean'],
  array: ['list_type', 'Input should be a valid list'],
  object: ['dict_type', 'Input should be a valid dictionary'],
  record: ['dict_type', 'Input should be a valid dictionary'],
};

const valueAt = (input: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], input);

/** A value as it may be shown: scalars whole, everything else by its type. */
const shown = (value: unknown): unknown =>
  value === null || ['string', 'number', 'boolean'].includes(typeof value) ? value : undefined;

const bound = (
  issue: ZodIssue & { code: 'too_small' | 'too_big' },
): [string, string, Record<string, unknown>] => {
  const { origin, inclusive } = issue;
  const limit = Number(issue.code === 'too_small' ? issue.minimum : issue.maximum);
  const isLow = issue.code === 'too_small';
  if (origin === 'string' || origin === 'array') {
    const [what, unit] = origin === 'string' ? ['String', 'character'] : ['List', 'item'];
    const type = `${origin === 'string' ? 'string_' : ''}too_${isLow ? 'short' : 'long'}`;
    return [
      type,
      `${what} should have at ${isLow ? 'least' : 'most'} ${limit} ${unit}${limit === 1 ? '' : 's'}`,
      { [isLow ? 'min_length' : 'max_length']: limit },
    ];
  }
  const word = isLow ? 'greater' : 'less';
  return inclusive
    ? [
        `${word}_than_equal`,
        `Input should be ${word} than or equal to ${limit}`,
        { [isLow ? 'ge' : 'le']: limit },
      ]
    : [`${word}_than`, `Input should be ${word} than ${limit}`, { [isLow ? 'gt' : 'lt']: limit }];
};

const describe = (
  issue: ZodIssue,
  input: unknown,
  schema: z.core.$ZodType | undefined,
): SchemaIssue[] => {
  const loc = ['body', ...issue.path.map((key) => (typeof key === 'number' ? key : String(key)))];
  const value = shown(input);
  const rest = value === undefined ? {} : { input: value };
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        type: 'extra_forbidden',
        loc: [...loc, key],
        msg: `Extra inputs are not permitted: '${key}'`,
      }));
    case 'invalid_type': {
      if (input === undefined)
        return [{ type: 'missing', loc, msg: `Field required: '${loc.at(-1)}'` }];
      const isWhole = schema && issue.expected === 'number' && isIntegerField(schema, issue.path);
      const [type, msg] = TYPE_ISSUES[isWhole ? 'int' : issue.expected] ?? [
        'value_error',
        issue.message,
      ];
      return [{ type, loc, msg, ...rest }];
    }
    case 'too_small':
    case 'too_big': {
      const [type, msg, ctx] = bound(issue);
      return [{ type, loc, msg, ...rest, ctx }];
    }
    case 'invalid_value':
      return [
        {
          type: 'literal_error',
          loc,
          msg: `Input should be one of ${issue.values.join(', ')}`,
          ...rest,
        },
      ];
    default:
      return [{ type: 'value_error', loc, msg: issue.message, ...rest }];
  }
};

/** All issues of a failed parse; the schema tells which numbers had to be whole. */
export const schemaIssues = (
  error: z.core.$ZodError,
  input: unknown,
  schema?: z.core.$ZodType,
): SchemaIssue[] =>
  error.issues.flatMap((issue) => describe(issue, valueAt(input, issue.path), schema));

/** Issues as one sentence: `horizon: Input should be greater than 0 (got -1)`. */
export const issuesText = (issues: readonly SchemaIssue[]): string =>
  issues
    .slice(0, 5)
    .map(({ loc, msg, input }) => {
      const place = loc.slice(1).join('.') || 'body';
      return `${place}: ${msg}${input === undefined ? '' : ` (got ${JSON.stringify(input)})`}`;
    })
    .join('; ');

/** Parses a request body. Throws INVALID_REQUEST whose data is the list of issues. */
export const parseBody = <T>(schema: z.ZodType<T>, body: unknown): T => {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issues = schemaIssues(parsed.error, body, schema);
  throw new TollamaError('INVALID_REQUEST', issuesText(issues), { data: issues });
};
