/** The conformal state: an adjustment for each segment and one for all others, from a file. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Adjustment } from './adjustment.ts';

const AdjustmentSchema = z.object({
  target_coverage: z.number(),
  quantile_level: z.number(),
  center_shift: z.number(),
  width_scale: z.number(),
  sample_size: z.number().default(0),
});

/** Schema versions 1 and 2: the default under one of two names, or the object itself. */
const StateFile = z
  .looseObject({
    default_adjustment: AdjustmentSchema.nullish(),
    adjustment: AdjustmentSchema.nullish(),
    segments: z.record(z.string(), AdjustmentSchema).default({}),
  })
  .transform((file) => {
    const own = AdjustmentSchema.safeParse(file);
    const fallback = file.default_adjustment ?? file.adjustment;
    return { fallback: fallback ?? (own.success ? own.data : undefined), segments: file.segments };
  });

export interface ChosenAdjustment {
  readonly adjustment: Adjustment;
  /** The segment that it is of; null for the default. */
  readonly segmentKey: string | null;
}

export interface ConformalState {
  readonly isLoaded: boolean;
  /** The adjustment of the first of the candidates that has one. */
  choose(candidates: readonly string[]): ChosenAdjustment | undefined;
}

export const conformalState = (
  fallback: Adjustment | undefined,
  segments: Readonly<Record<string, Adjustment>> = {},
  isLoaded = true,
): ConformalState => ({
  isLoaded,
  choose(candidates) {
    const key = candidates.find((candidate) => Object.hasOwn(segments, candidate));
    if (key !== undefined) return { adjustment: segments[key]!, segmentKey: key };
    return fallback && { adjustment: fallback, segmentKey: null };
  },
});

export const NO_CONFORMAL_STATE: ConformalState = conformalState(undefined, {}, false);

/** The text of a state file as a state. Throws what is wrong with it. */
export const parseConformalState = (text: string): ConformalState => {
  const { fallback, segments } = StateFile.parse(JSON.parse(text));
  return conformalState(fallback, segments);
};

/** The state of a file; none when it is missing or broken, which `onBroken` is told. */
export const readConformalState = async (
  path: string,
  onBroken: (error: unknown) => void,
): Promise<ConformalState> => {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return NO_CONFORMAL_STATE;
  try {
    return parseConformalState(text);
  } catch (error) {
    onBroken(error);
    return NO_CONFORMAL_STATE;
  }
};
