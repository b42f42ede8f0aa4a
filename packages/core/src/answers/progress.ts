/** Lines of the streams that tell how work on a model goes: pull, create, verify. */
import { z } from 'zod';
import type { Answer } from './answer.ts';

/** The last line of a stream that failed: the status is out by then. */
export const ErrorLine = z.object({
  error: z.object({ message: z.string(), hint: z.string().optional() }),
});

/** How a pull ended; the whole answer where it is not streamed. */
export const PulledModel = z.object({
  status: z.literal('success'),
  model: z.string(),
  digest: z.string(),
  size: z.int().describe('bytes'),
});

/** One line of a pull. */
export const PullLine = z.union([
  z.object({ status: z.literal('pulling manifest') }),
  z.object({ status: z.literal('resolving digest'), digest: z.string() }),
  z.object({ status: z.literal('warning'), message: z.string() }),
  z.object({ status: z.literal('already present'), model: z.string() }),
  z.object({
    status: z.literal('downloading'),
    completed_bytes: z.int(),
    total_bytes: z.int(),
    files_completed: z.int(),
    files_total: z.int(),
  }),
  PulledModel,
  ErrorLine,
]);
export type PullLine = Answer<typeof PullLine>;

/** A model that was made: from another by its Modelfile, or with random weights. */
export const CreatedModel = z.union([
  z.object({
    status: z.literal('success'),
    model: z.string(),
    family: z.string(),
    from: z.string(),
    warnings: z.array(z.string()).optional(),
  }),
  z.object({
    status: z.literal('success'),
    model: z.string(),
    family: z.string(),
    parameters: z.int(),
    size: z.int().describe('bytes'),
  }),
]);

export const CreateLine = z.union([
  z.object({ status: z.enum(['writing random weights', 'reading Modelfile']) }),
  CreatedModel,
  ErrorLine,
]);

export const VerifiedFile = z.object({
  path: z.string(),
  size: z.int().describe('bytes'),
  status: z.enum(['ok', 'damaged', 'missing', 'unknown']),
  detail: z.string().optional(),
});

export const VerifyLine = z.union([
  z.object({ status: z.literal('verifying'), file: VerifiedFile }),
  z.object({
    status: z.enum(['success', 'damaged']),
    model: z.string(),
    files: z.int(),
    damaged: z.int(),
  }),
  ErrorLine,
]);
