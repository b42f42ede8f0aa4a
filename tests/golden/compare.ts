/** Holds numbers to golden ones: |got - want| <= atol + rtol * |want|, NaN (null in the files) to NaN. */

export interface Tolerance {
  readonly rtol: number;
  readonly atol: number;
}

/** The comparison of one value, array or tensor with its golden counterpart. */
export interface Comparison {
  readonly label: string;
  /** Largest error as a share of its tolerance; at most 1 passes. */
  readonly worst: number;
  /** Where the worst error is, in words. */
  readonly detail: string;
}

type Nested = number | null | string | boolean | readonly Nested[];

const flatten = (value: unknown): number[] => {
  if (value === null) return [Number.NaN];
  if (typeof value === 'boolean') return [value ? 1 : 0];
  if (typeof value === 'number') return [value];
  if (ArrayBuffer.isView(value) || Array.isArray(value)) {
    return Array.from(value as unknown as ArrayLike<unknown>).flatMap(flatten);
  }
  return [Number(value as Nested)];
};

const shareOf = (got: number, want: number, { rtol, atol }: Tolerance): number => {
  if (Number.isNaN(want)) return Number.isNaN(got) ? 0 : Number.POSITIVE_INFINITY;
  if (got === want) return 0;
  const share = Math.abs(got - want) / (atol + rtol * Math.abs(want));
  return Number.isNaN(share) ? Number.POSITIVE_INFINITY : share;
};

/** Compares element by element; a different number of elements never passes. */
export const compare = (
  label: string,
  got: unknown,
  want: unknown,
  tolerance: Tolerance,
): Comparison => {
  const actual = flatten(got);
  const expected = flatten(want);
  if (actual.length !== expected.length) {
    return {
      label,
      worst: Number.POSITIVE_INFINITY,
      detail: `${actual.length} values instead of ${expected.length}`,
    };
  }
  let worst = 0;
  let detail = `${expected.length} values`;
  expected.forEach((value, i) => {
    const share = shareOf(actual[i]!, value, tolerance);
    if (share > worst) {
      worst = share;
      detail = `at ${i}: got ${actual[i]}, want ${value}`;
    }
  });
  return { label, worst, detail };
};

export const passes = ({ worst }: Comparison): boolean => worst <= 1;
