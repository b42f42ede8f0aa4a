/** Contexts of a batch of training as the rows that families read. */

/** Steps that are trained for when nobody says, of families whose one pass gives as many as one asks for. */
export const TRAINED_STEPS = 64;

/** The windows [size, length] without the NaN that stand in front; one 0 where nothing is known. */
export const contextRows = (contexts: Float32Array, size: number): readonly Float32Array[] => {
  const length = contexts.length / size;
  return Array.from({ length: size }, (_, b) => {
    const row = contexts.subarray(b * length, (b + 1) * length);
    const first = row.findIndex((value) => !Number.isNaN(value));
    return first < 0 ? Float32Array.of(0) : row.subarray(first);
  });
};

/** Steps of whole patches that a wish asks for, at most `longest`. */
export const trainedSteps = (asked: number | undefined, patch: number, longest: number): number =>
  Math.min(Math.ceil((asked ?? TRAINED_STEPS) / patch), Math.max(1, Math.floor(longest / patch))) *
  patch;
