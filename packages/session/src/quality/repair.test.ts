import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import type { Panel } from '../frame/panel.ts';
import { type RepairStrategy, repairPanel } from './repair.ts';

const panelOf = (target: ArrayLike<number>): Panel => ({
  freq: 'D',
  season: 7,
  series: [
    {
      id: 'a',
      timestamps: [],
      target: Float64Array.from(target),
      past: {},
      future: {},
      statics: {},
    },
  ],
});

const repair = (target: ArrayLike<number>, strategy: RepairStrategy = {}, isStrict = false) => {
  const { panel, repairs } = repairPanel(panelOf(target), strategy, { isStrict, column: 'y' });
  return { values: [...panel.series[0]!.target], repairs };
};

const value = fc.oneof(
  { weight: 4, arbitrary: fc.double({ min: -1e6, max: 1e6, noNaN: true }) },
  { weight: 1, arbitrary: fc.constant(Number.NaN) },
);

test.prop([fc.array(value, { maxLength: 60 })])(
  'by default no observed value is ever replaced',
  (target) => {
    const { values } = repair(target);
    target.forEach((known, i) => {
      if (!Number.isNaN(known)) expect(values[i]).toBe(known);
    });
  },
);

test('gaps are filled from before; strict mode repairs nothing', () => {
  const target = [Number.NaN, 1, Number.NaN, Number.NaN, 4];
  expect(repair(target).values).toEqual([Number.NaN, 1, 1, 1, 4]);
  expect(repair(target, { missing: 'bfill' }).values).toEqual([1, 1, 4, 4, 4]);
  expect(repair(target, {}, true).repairs).toEqual([]);
});

test('bfill peeks into the future, which strict mode refuses', () => {
  expect(() => repair([1], { missing: 'bfill' }, true)).toThrow(/E_QA_REPAIR_PEEKS_FUTURE/);
  expect(repair([Number.NaN, 1], { missing: 'bfill' }).repairs[0]).toMatchObject({
    pit_safe: false,
  });
});

const calm = Array.from({ length: 60 }, (_, t) => Math.sin(t));
const spiked = calm.map((known, t) => (t === 45 ? 100 : known));

test.each(['winsorize', 'median_filter'] as const)(
  '%s changes what sticks out only',
  (outliers) => {
    const { values, repairs } = repair(spiked, { outliers });
    expect(Math.abs(values[45]!)).toBeLessThan(2);
    expect(repairs).toEqual([expect.objectContaining({ method: outliers, pit_safe: true })]);
    if (outliers === 'median_filter') {
      expect(values.filter((known, t) => known !== spiked[t])).toHaveLength(1);
    }
  },
);

test('what comes later does not change what winsorising made of a point', () => {
  const early = repair(spiked.slice(0, 50), { outliers: 'winsorize' }).values;
  expect(repair(spiked, { outliers: 'winsorize' }).values.slice(0, 50)).toEqual(early);
});
