import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readIsoTime } from './iso-time.ts';
import { matchNotation, wallTimeOf } from './notation.ts';

const slowly = (text: string) => {
  const parts = matchNotation(text);
  return parts && wallTimeOf(parts, false);
};

test('agrees with the patterns on dates that exist', () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date(-6e13), max: new Date(2e14), noInvalidDate: true }),
      fc.constantFrom(10, 16, 19),
      fc.constantFrom('T', ' '),
      (date, length, separator) => {
        const text = date.toISOString().slice(0, length).replace('T', separator);
        expect(readIsoTime(text)).toBeDefined();
        expect(readIsoTime(text)).toEqual(slowly(text));
      },
    ),
  );
});

test('never reads what the patterns refuse', () => {
  const almost = fc.stringMatching(/^\d{4}-\d\d-[0-3x]\d([T _]\d\d[:.]\d\d(:\d\d)?)?$/);
  fc.assert(
    fc.property(almost, (text) => {
      const read = readIsoTime(text);
      if (read) expect(read).toEqual(slowly(text));
    }),
  );
});
