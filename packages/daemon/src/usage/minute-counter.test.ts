import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { MinuteCounter } from './minute-counter.ts';

test.prop([fc.array(fc.nat(40_000), { maxLength: 60 })])(
  'as many as a list of all times would tell, to the second',
  (steps) => {
    const counter = new MinuteCounter();
    const times: number[] = [];
    let now = 1_700_000_000_000;
    for (const step of steps) {
      now += step;
      counter.add(now);
      times.push(now);
      const second = (at: number): number => Math.floor(at / 1000);
      const expected = times.filter((at) => second(at) > second(now) - 60).length;
      expect(counter.count(now)).toBe(expected);
    }
    expect(counter.count(now + 61_000)).toBe(0);
  },
);
