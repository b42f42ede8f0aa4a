import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { z } from 'zod';
import { quickNumbers, quickWords } from './trusted-array.ts';

const element = fc.oneof(
  { weight: 20, arbitrary: fc.double() },
  { weight: 2, arbitrary: fc.string() },
  fc.jsonValue(),
  fc.constantFrom(undefined, Number.NaN, Number.POSITIVE_INFINITY, ''),
);
const value = fc.oneof(
  fc.array(element),
  fc.array(fc.double({ noNaN: true, noDefaultInfinity: true })),
  fc.array(fc.string({ minLength: 1 })),
  fc.anything(),
);

const cases = [
  { plain: () => z.array(z.number()), quick: quickNumbers },
  { plain: () => z.array(z.number()).min(2).max(5), quick: quickNumbers },
  { plain: () => z.array(z.string().min(1)), quick: quickWords },
  { plain: () => z.array(z.string().min(1)).min(1).max(4), quick: quickWords },
] as const;

test.prop([fc.constantFrom(...cases), value])('says what the plain schema says', (one, input) => {
  const plain: z.ZodType = one.plain();
  const quick: z.ZodType = one.quick(one.plain() as z.ZodType);
  const [expected, got] = [plain.safeParse(input), quick.safeParse(input)];
  expect(got).toEqual(expected);
  const inObject = z.strictObject({ list: quick.nullish() }).safeParse({ list: input });
  expect(inObject).toEqual(z.strictObject({ list: plain.nullish() }).safeParse({ list: input }));
});

test('the JSON schema is the same', () => {
  expect(z.toJSONSchema(quickNumbers(z.array(z.number()).min(1)))).toEqual(
    z.toJSONSchema(z.array(z.number()).min(1)),
  );
});
