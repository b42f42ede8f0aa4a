/** Numbers that several families are asked for, with the ends past which a request would take all memory. */
import { LIMITS } from '@tollama/core/limits';
import { z } from 'zod';

/** Sample paths of a series. */
export const SampleCount = z.int().positive().max(100_000);

/** Points of history to read, of families that set up as many whatever the series has. */
export const ContextLength = z.int().positive().max(LIMITS.points);
