import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { decodeForecastBlock, encodeForecastBlock } from './forecast-block.ts';
import { decodePanelBlock, encodePanelBlock, splitBlock } from './panel-block.ts';

const doubles = fc.array(fc.double(), { maxLength: 20 }).map((values) => Float64Array.from(values));

const series = fc.record({
  id: fc.string(),
  times: fc.oneof(
    doubles,
    fc
      .tuple(fc.integer(), fc.integer({ min: 1 }), fc.nat(20))
      .map(([first, step, length]) => Float64Array.from({ length }, (_, i) => first + i * step)),
  ),
});

property.prop([
  fc.array(series, { maxLength: 5 }),
  fc.constantFrom('time' as const, 'index' as const),
])('a panel block gives back its series, from any place in a buffer', (some, kind) => {
  const block = {
    kind,
    series: some.map(({ id, times }, i) => ({
      id,
      times,
      values: times.map((time) => time * i),
      problem: i % 2 === 0 ? undefined : `problem ${i}`,
    })),
  };
  const bytes = encodePanelBlock(block);
  const moved = Buffer.alloc(bytes.length + 3);
  moved.set(bytes, 3);
  expect(decodePanelBlock(moved.subarray(3))).toEqual(block);
});

const NAMES = [
  { name: 'promo', isKnown: true },
  { name: 'sky', isKnown: false },
];

test('covariates stand beside their series, also beside one with a problem', () => {
  const block = {
    kind: 'time' as const,
    covariates: NAMES,
    series: [
      { id: 'a', times: Float64Array.of(), values: Float64Array.of(), problem: 'odd' },
      {
        id: 'b',
        times: Float64Array.of(1, 2, 4),
        values: Float64Array.of(1, Number.NaN, 3),
        problem: undefined,
        covariates: {
          columns: [Float64Array.of(1, 2, 3, 4), ['x', null, 'ü']],
          futureTimes: Float64Array.of(5),
          statics: { shop: 'X', size: 3 },
        },
      },
    ],
  };
  expect(decodePanelBlock(encodePanelBlock(block))).toEqual(block);
});

test('a forecast block gives back its columns', () => {
  const block = {
    horizon: 2,
    ids: ['a', 'b'],
    times: Float64Array.of(1, 2, 3, 4),
    columns: [Float64Array.of(1, 2, 3, 4), Float64Array.of(5, 6, 7, Number.NaN)],
    failures: [{ id: 'c', code: 'INVALID_INPUT', message: 'two rows have the time 1' }],
  };
  expect(decodeForecastBlock(encodeForecastBlock(block))).toEqual(block);
});

test('other bytes are refused', () => {
  expect(() => splitBlock(new Uint8Array([9, 0, 0, 0, 1]))).toThrow('no block');
});
