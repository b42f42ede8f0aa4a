/** The form of a table: the file, and fields that are texts in HTML's way. */
import { REPAIR_METHODS } from '@tollama/core/ingest-options';
import { z } from 'zod';
import type { Body } from './operation.ts';

const file = z
  .string()
  .meta({ format: 'binary', description: 'the table; its name tells its kind' });

/** Texts of which only a few have a meaning, and those that are numbers. */
const CHOICES = {
  format_hint: z
    .enum(['csv', 'json', 'ndjson', 'parquet', 'arrow', 'duckdb'])
    .optional()
    .describe('where the name of the file does not tell'),
  missing_method: z.enum(REPAIR_METHODS).optional(),
  preprocess_missing: z.enum(['true', 'false']).optional().describe('whether gaps are repaired'),
  missing_edge_strategy: z.enum(['nearest', 'reject']).optional(),
  missing_max_ratio: z.number().min(0).max(1).optional(),
  missing_max_gap: z.int().positive().optional(),
  missing_seasonal_period: z.int().positive().optional(),
} as const;

export const uploadForm = (name: string, fields: z.ZodRawShape): Body => ({
  name,
  schema: z.strictObject({ file, ...fields, ...CHOICES }),
});
