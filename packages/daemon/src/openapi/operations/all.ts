/** Every route of the daemon: what it is for, what goes in, what comes out. `/openapi.json` and `/docs` read it. */
import type { Operation } from '../operation.ts';
import { FORECASTS, SCENARIOS } from './forecasts.ts';
import { INFERENCE } from './inference.ts';
import { BATCHES, TRAINING } from './jobs.ts';
import { MODELS, PROFILES } from './models.ts';
import { SERIES } from './series.ts';
import { SYSTEM } from './system.ts';
import { TIMEGPT } from './timegpt.ts';

export const OPERATIONS: readonly Operation[] = [
  ...FORECASTS,
  ...SCENARIOS,
  ...SERIES,
  ...MODELS,
  ...PROFILES,
  ...TRAINING,
  ...BATCHES,
  ...TIMEGPT,
  ...INFERENCE,
  ...SYSTEM,
];
