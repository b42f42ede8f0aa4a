import { describe, expect, test } from 'vitest';
import { parseTaskSpec } from '../task/task-spec.ts';
import { exampleRows } from '../testing/example-frame.ts';
import { validateFrame } from './validate.ts';

const spec = parseTaskSpec({ h: 2 });
const codes = (data: unknown, own = spec): string[] =>
  validateFrame(data, own).report.errors.map(({ error_code }) => error_code);

test('a cell of another type names its column, and says what to give', () => {
  const rows = [{ unique_id: 'a', ds: '2024-01-01', y: 'many' }];
  const [error] = validateFrame(rows, parseTaskSpec({ h: 1 })).report.errors;
  expect(error).toMatchObject({ error_code: 'E_CONTRACT_INVALID_TYPE', context: { column: 'y' } });
  expect(error!.fix_hint).toMatch(/give numbers/);
});

test('what is no table, and an empty one', () => {
  for (const data of [null, 3, 'x', [], {}, [1, 2]])
    expect(codes(data)).toEqual(['E_CONTRACT_INVALID']);
});

test('all missing columns are collected', () => {
  expect(codes([{ y: 1 }])).toEqual(['E_CONTRACT_MISSING_COLUMN', 'E_CONTRACT_MISSING_COLUMN']);
});

test('all wrong types are collected', () => {
  expect(codes([{ unique_id: null, ds: {}, y: 'many' }])).toEqual([
    'E_CONTRACT_INVALID_TYPE',
    'E_CONTRACT_INVALID_TYPE',
    'E_CONTRACT_INVALID_TYPE',
  ]);
});

describe('rows of the same id and time', () => {
  const rows = [
    { unique_id: 'a', ds: '2024-01-01', y: 1 },
    { unique_id: 'a', ds: '2024-01-01', y: 4 },
    { unique_id: 'a', ds: '2024-01-02', y: 3 },
    { unique_id: 'a', ds: '2024-01-02', y: 5 },
    { unique_id: 'a', ds: '2024-01-02', y: 100 },
  ];
  test('are refused', () => expect(codes(rows)).toEqual(['E_CONTRACT_DUPLICATE_KEY']));
  test.each([
    ['sum', [5, 108]],
    ['mean', [2.5, 36]],
    ['median', [2.5, 5]],
    ['last', [4, 100]],
  ] as const)('or joined by their %s, with a warning', (aggregation, values) => {
    const { groups, report } = validateFrame(rows, parseTaskSpec({ h: 1, panel: { aggregation } }));
    expect(groups[0]!.values).toEqual(values);
    expect(report).toMatchObject({
      valid: true,
      warnings: [{ code: 'W_CONTRACT_AGGREGATED', count: 3 }],
    });
  });
});

test('rows that are not sorted', () => {
  const rows = exampleRows(['a'], 10).toReversed();
  expect(codes(rows)).toEqual(['E_DS_NOT_MONOTONIC']);
  expect(codes(exampleRows(['b', 'a'], 3))).toEqual(['E_DS_NOT_MONOTONIC']);
});

test('columns, dates, numbers as text and own names are read', () => {
  const data = {
    store: [1, 1],
    day: [new Date(Date.UTC(2024, 0, 1)), new Date(Date.UTC(2024, 0, 2))],
    sales: ['3.5', ''],
  };
  const own = parseTaskSpec({ h: 1, panel: { unique_id: 'store', ds: 'day', y: 'sales' } });
  const { groups } = validateFrame(data, own);
  expect(groups[0]).toMatchObject({ id: '1', values: [3.5, Number.NaN] });
  expect(groups[0]!.timestamps[1]).toBe('2024-01-02T00:00:00');
});
