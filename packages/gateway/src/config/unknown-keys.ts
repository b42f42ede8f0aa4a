import { didYouMean } from '@tollama/core/did-you-mean';
import { z } from 'zod';
import type { Layer } from './profiles.ts';

const unwrapped = (type: unknown): z.ZodObject | undefined => {
  let at = type;
  while (at instanceof z.ZodType && !(at instanceof z.ZodObject)) {
    const { innerType } = at.def as { innerType?: unknown };
    if (innerType === undefined) return undefined;
    at = innerType;
  }
  return at instanceof z.ZodObject ? at : undefined;
};

/** Warnings that name each key that the schema does not know, by its path. */
export const unknownKeys = (layer: Layer, schema: z.ZodType, path: string): string[] => {
  const shape = unwrapped(schema)?.shape;
  if (!shape) return [];
  return Object.entries(layer).flatMap(([key, value]) => {
    const at = `${path}.${key}`;
    if (!Object.hasOwn(shape, key)) {
      const near = didYouMean(key, Object.keys(shape));
      return [`unknown setting '${at}' is not used${near ? `; did you mean '${near}'?` : ''}`];
    }
    const isBlock = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isBlock ? unknownKeys(value as Layer, shape[key] as z.ZodType, at) : [];
  });
};
