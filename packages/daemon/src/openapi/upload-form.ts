/** The form of a table: the file, and fields that are texts in HTML's way. */
import { REPAIR_METHODS } from '@tollama/core/ingest-options';
import { z } from 'zod';
import type { Body } from './operation.ts';

const file = z
  .string()
  .meta({ format: 'binary', description: 'the table; its name tells its kind' });

/** Texts of which only a few have a meaning. */
const CHOICES = {
  format_hint: z
    .enum(['csv', 'json', 'ndjson', 'parquet', 'arrow', 'duckdb'])
    .optional()
    .describe('where the name of the file does not tell'),
  missing_method: z.enum(REPAIR_METHODS).optional(),
  missing_edge_strategy: z.enum(['nearest', 'reject']).optional(),
} as const;

export const uploadForm = (name: string, fields: z.ZodRawShape): Body => ({
  name,
  schema: z.strictObject({ file, ...fields, ...CHOICES }),
});
