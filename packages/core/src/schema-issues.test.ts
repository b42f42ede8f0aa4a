import { expect, test } from 'vitest';
import { ForecastRequest } from './forecast-request.ts';
import { issuesText, schemaIssues } from './schema-issues.ts';

const issuesOf = (body: unknown) => {
  const parsed = ForecastRequest.safeParse(body);
  return parsed.success ? [] : schemaIssues(parsed.error, body, ForecastRequest);
};

const series = [{ id: 's', timestamps: ['2024'], target: [1] }];

test('issues have the types and places that clients know', () => {
  const body = {
    model: '',
    horizon: 1.5,
    series: [{ ...series[0], target: ['1'] }],
    quantiles: [0],
    bogus: 1,
    timeout: 0,
  };
  expect(issuesOf(body)).toMatchInlineSnapshot(`
    [
      {
        "ctx": {
          "min_length": 1,
        },
        "input": "",
        "loc": [
          "body",
          "model",
        ],
        "msg": "String should have at least 1 character",
        "type": "string_too_short",
      },
      {
        "input": 1.5,
        "loc": [
          "body",
          "horizon",
        ],
        "msg": "Input should be a valid integer",
        "type": "int_type",
      },
      {
        "input": "1",
        "loc": [
          "body",
          "series",
          0,
          "target",
          0,
        ],
        "msg": "Input should be a valid number",
        "type": "float_type",
      },
      {
        "ctx": {
          "gt": 0,
        },
        "input": 0,
        "loc": [
          "body",
          "quantiles",
          0,
        ],
        "msg": "Input should be greater than 0",
        "type": "greater_than",
      },
      {
        "ctx": {
          "gt": 0,
        },
        "input": 0,
        "loc": [
          "body",
          "timeout",
        ],
        "msg": "Input should be greater than 0",
        "type": "greater_than",
      },
      {
        "loc": [
          "body",
          "bogus",
        ],
        "msg": "Extra inputs are not permitted: 'bogus'",
        "type": "extra_forbidden",
      },
    ]
  `);
});

test('a missing field, a list that is none, a body that is none', () => {
  expect(issuesOf({ model: 'm', series: {} }).map(({ type, loc }) => [type, loc])).toEqual([
    ['missing', ['body', 'horizon']],
    ['list_type', ['body', 'series']],
  ]);
  expect(issuesOf([])).toMatchObject([{ type: 'dict_type', loc: ['body'] }]);
});

test('as one sentence with the value', () => {
  expect(issuesText(issuesOf({ model: 'm', horizon: -1, series }))).toBe(
    'horizon: Input should be greater than 0 (got -1)',
  );
});

test.each([
  [{ horizon: '3' }, 'horizon'],
  [{ horizon: true }, 'horizon'],
  [{ horizon: null }, 'horizon'],
  [{ parameters: { metrics: { names: ['mae'], mase_seasonality: '7' } } }, 'mase_seasonality'],
])('%j is told to be no integer', (fields, name) => {
  const issue = issuesOf({ model: 'm', horizon: 1, series, ...fields }).find(
    ({ loc }) => loc.at(-1) === name,
  );
  expect(issue).toMatchObject({ type: 'int_type', msg: 'Input should be a valid integer' });
});

test('a number that need not be whole stays a number', () => {
  expect(issuesOf({ model: 'm', horizon: 1, series, timeout: '5' })[0]?.type).toBe('float_type');
});
