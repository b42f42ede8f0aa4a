/**
 * Long arrays of numbers and strings, parsed at the speed of a loop. The schema's own parser makes two
 * objects for each element, which is most of what a forecast request costs; here it only runs to say what
 * is wrong with an array that is not plainly right.
 */
import type { z } from 'zod';

/** Gives the schema a quick look ahead of its parser; an accepted array is passed on as it is, not copied. */
const withQuickLook = <S extends z.ZodType>(
  schema: S,
  isRight: (array: readonly unknown[]) => boolean,
): S => {
  const internals = schema._zod;
  const { parse, run } = internals;
  const look: typeof parse = (payload, context) =>
    Array.isArray(payload.value) && isRight(payload.value) ? payload : parse(payload, context);
  internals.parse = look;
  // Without checks of its own, a schema runs its parser directly.
  if (run === parse) internals.run = look;
  return schema;
};

/** For `z.array(z.number())` with checks on its length alone. */
export const quickNumbers = <S extends z.ZodType>(schema: S): S =>
  withQuickLook(schema, (array) => {
    for (let i = 0; i < array.length; i++) if (!Number.isFinite(array[i])) return false;
    return true;
  });

/** For `z.array(z.string().min(1))` with checks on its length alone. */
export const quickWords = <S extends z.ZodType>(schema: S): S =>
  withQuickLook(schema, (array) => {
    for (let i = 0; i < array.length; i++) {
      const word = array[i];
      if (typeof word !== 'string' || word === '') return false;
    }
    return true;
  });
