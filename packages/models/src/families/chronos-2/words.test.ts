import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { byCodePoint, ordinalWords, targetMeans, wordCodes } from './words.ts';

describe('byCodePoint', () => {
  test('orders as UTF-8 bytes do, beyond the basic plane too', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        const bytes = Buffer.compare(Buffer.from(a), Buffer.from(b));
        expect(Math.sign(byCodePoint(a, b))).toBe(bytes);
      }),
    );
    expect(['\u{1F600}', '\uFFFD', 'a', ''].sort(byCodePoint)).toEqual([
      '',
      'a',
      '\uFFFD',
      '\u{1F600}',
    ]);
  });
});

describe('ordinalWords', () => {
  const codes = wordCodes([
    ['sun', null, 'Fog'],
    ['10', 'sun'],
  ]);

  test('codes are the places in the sorted words of all items', () => {
    expect([...codes]).toEqual([
      ['10', 0],
      ['Fog', 1],
      ['sun', 2],
    ]);
  });

  test('missing gets the code after the last, an unseen word is unknown', () => {
    const { past, future } = ordinalWords(['sun', null], ['hail', '10', null], codes);
    expect([...past]).toEqual([2, 3]);
    expect([...future]).toEqual([Number.NaN, 0, 3]);
  });
});

describe('targetMeans', () => {
  test('smooths the mean at each word by the mean of the item', () => {
    const { past, future } = targetMeans(
      ['a', 'b', 'a', null, 'b'],
      ['a', 'c', null],
      [1, 4, 3, 8, Number.NaN],
    );
    const mean = (1 + 4 + 3 + 8) / 4;
    expect([...past]).toEqual(
      [(mean + 4) / 3, (mean + 4) / 2, (mean + 4) / 3, (mean + 8) / 2, (mean + 4) / 2].map(
        Math.fround,
      ),
    );
    expect([...future]).toEqual([(mean + 4) / 3, mean, (mean + 8) / 2].map(Math.fround));
  });

  test('an item without a finite target gives 0', () => {
    const { past } = targetMeans(['a', 'b'], [], [Number.NaN, Number.POSITIVE_INFINITY]);
    expect([...past]).toEqual([0, 0]);
  });
});
