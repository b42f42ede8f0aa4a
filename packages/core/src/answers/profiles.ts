/** Answers about forecast profiles. */
import { z } from 'zod';
import { ForecastProfile } from '../forecast-profile.ts';
import type { Answer } from './answer.ts';

export const StoredModelfile = z.object({
  name: z.string(),
  path: z.string(),
  profile: ForecastProfile,
});
export type StoredModelfile = Answer<typeof StoredModelfile>;

export const ModelfilesResponse = z.object({ modelfiles: z.array(StoredModelfile) });

export const DeletedModelfile = z.object({ deleted: z.literal(true), name: z.string() });
