import { z } from 'zod';
import { withoutLatest } from './model-name.ts';

/** A model as a request names it: `bolt` and `bolt:latest` are the same. */
export const ModelReference = z.string().min(1).transform(withoutLatest);
