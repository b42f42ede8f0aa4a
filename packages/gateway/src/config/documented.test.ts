import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { ApiSettings, TsfmSettings } from './schema.ts';

const guide = readFileSync(resolve(import.meta.dirname, '../../../../docs/gateway.md'), 'utf8');

const keysOf = (type: unknown): readonly string[] => {
  let at = type;
  while (at instanceof z.ZodType && !(at instanceof z.ZodObject)) {
    at = (at.def as { innerType?: unknown }).innerType;
  }
  if (!(at instanceof z.ZodObject)) return [];
  return Object.entries(at.shape).flatMap(([key, inner]) => [key, ...keysOf(inner)]);
};

test('every setting is in the guide', () => {
  const keys = [...keysOf(TsfmSettings), ...keysOf(ApiSettings)];
  expect(keys.length).toBeGreaterThan(80);
  expect(keys.filter((key) => !guide.includes(`\`${key}\``))).toEqual([]);
});
