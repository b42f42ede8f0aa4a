/** Holds a value of any form to the expected one: numbers within the tolerance, all else alike. */
import type { Comparison, Tolerance } from '../../compare.ts';

interface Worst {
  share: number;
  detail: string;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

const differ = (worst: Worst, path: string, got: unknown, want: unknown): void => {
  worst.share = Number.POSITIVE_INFINITY;
  worst.detail = `${path}: got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`;
};

const visit = (
  path: string,
  got: unknown,
  want: unknown,
  tolerance: Tolerance,
  worst: Worst,
): void => {
  if (typeof want === 'number' && typeof got === 'number') {
    const share = Math.abs(got - want) / (tolerance.atol + tolerance.rtol * Math.abs(want));
    if (got !== want && !(share <= worst.share)) {
      worst.share = Number.isNaN(share) ? Number.POSITIVE_INFINITY : share;
      worst.detail = `${path}: got ${got}, want ${want}`;
    }
    return;
  }
  if (!isObject(want) || !isObject(got)) {
    if (got !== want) differ(worst, path, got, want);
    return;
  }
  if (Array.isArray(want) && (!Array.isArray(got) || got.length !== want.length)) {
    differ(worst, path, got, want);
    return;
  }
  for (const key of Object.keys(want))
    visit(`${path}.${key}`, got[key], want[key], tolerance, worst);
};

/** Every value of `want` is compared; what `got` has beyond it is not looked at. */
export const agree = (
  label: string,
  got: unknown,
  want: unknown,
  tolerance: Tolerance,
): Comparison => {
  const worst: Worst = { share: 0, detail: 'all values' };
  visit(label, got, want, tolerance, worst);
  return { label, worst: worst.share, detail: worst.detail };
};
