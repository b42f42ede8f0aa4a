import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { GOVERNOR_DEFAULTS, Governor } from './governor.ts';

const OPTIONS = { ...GOVERNOR_DEFAULTS, absolute: 1 };
const loss = fc.oneof(
  fc.double({ min: 0, max: 5, noNaN: true }),
  fc.constantFrom(1000, Number.NaN, Number.POSITIVE_INFINITY),
);

property.prop([fc.array(loss, { maxLength: 80 })])(
  'what is not finite or divergent never enters the history',
  (losses) => {
    const governor = new Governor(OPTIONS);
    for (const one of losses) {
      const before = governor.state().history;
      const { verdict } = governor.judge(one);
      if (verdict === 'ok') expect(governor.state().history.at(-1)).toBe(one);
      else expect(governor.state().history).toEqual(before);
      if (!Number.isFinite(one)) expect(verdict).toBe('rollback');
    }
    const copy = new Governor(OPTIONS);
    copy.load(governor.state());
    expect(copy.judge(2)).toEqual(governor.judge(2));
  },
);

test('refuses a patience that never acts', () => {
  expect(() => new Governor({ ...OPTIONS, patience: 0 })).toThrow('governor.patience = 0');
});
