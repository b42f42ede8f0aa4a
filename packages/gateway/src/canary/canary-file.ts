/** Windows of a canary out of a file or of a running gateway. */
import { readFile } from 'node:fs/promises';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { z } from 'zod';
import type { CanaryData } from './gate.ts';

const Values = z.array(z.number());

const Data = z.object({
  window_minutes: z.number().positive().default(5),
  metrics: z.object({
    p95_latency_ms: Values,
    error_rate: Values,
    fallback_rate: Values,
    breaker_open_rate: Values,
    invalid_output_rate: Values,
  }),
});

/** Reads windows from a path or an http address of a gateway. Throws INVALID_INPUT. */
export const readCanaryData = async (source: string): Promise<CanaryData> => {
  try {
    if (!/^https?:\/\//.test(source)) return Data.parse(JSON.parse(await readFile(source, 'utf8')));
    const response = await fetch(new URL('/tsfm/canary', source));
    return Data.parse(await response.json());
  } catch (cause) {
    throw new TollamaError('INVALID_INPUT', `no windows from ${source}: ${errorMessage(cause)}`, {
      hint: 'give a JSON file with window_minutes and metrics, or the address of a gateway',
      cause,
    });
  }
};
