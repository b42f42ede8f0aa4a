/** Whether a schema wants an integer at a path: zod tells of `"3"` only that it is no number. */
import type { z } from 'zod';

interface Definition {
  readonly type: string;
  readonly format?: string;
  readonly checks?: readonly { readonly _zod: { readonly def: { readonly format?: string } } }[];
  readonly innerType?: z.core.$ZodType;
  readonly in?: z.core.$ZodType;
  readonly element?: z.core.$ZodType;
  readonly valueType?: z.core.$ZodType;
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  readonly options?: readonly z.core.$ZodType[];
}

const INTEGER_FORMATS: readonly (string | undefined)[] = ['safeint', 'int32', 'uint32'];

const isInteger = ({ format, checks = [] }: Definition): boolean =>
  [format, ...checks.map((check) => check._zod.def.format)].some(
    (each) => each !== undefined && INTEGER_FORMATS.includes(each),
  );

/** True where a number at that path of a body would have to be whole. */
export const isIntegerField = (schema: z.core.$ZodType, path: readonly PropertyKey[]): boolean => {
  const definition = schema._zod.def as unknown as Definition;
  const within = definition.innerType ?? definition.in;
  if (within) return isIntegerField(within, path);
  if (definition.options) return definition.options.some((option) => isIntegerField(option, path));
  const [key, ...rest] = path;
  if (key === undefined) return definition.type === 'number' && isInteger(definition);
  const next = definition.element ?? definition.valueType ?? definition.shape?.[String(key)];
  return next !== undefined && isIntegerField(next, rest);
};
