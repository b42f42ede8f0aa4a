/** The scale of values: its range, its round ticks and their labels. */

export interface ValueScale {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly { readonly value: number; readonly label: string }[];
}

/** The round step (1, 2, 2.5 or 5 times a power of ten) that gives at most `most` ticks in a range. */
const roundStep = (range: number, most: number): number => {
  const rough = range / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 2.5, 5, 10].find((f) => f * power >= rough * 0.999) ?? 10;
  return factor * power;
};

const SMALLEST = 1e-300;

const SUFFIXES = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const;

/** Decimals that tell multiples of a step apart. */
const decimalsOf = (step: number): number => {
  for (let decimals = 0; decimals < 12; decimals++) {
    const scaled = step * 10 ** decimals;
    if (Math.abs(scaled - Math.round(scaled)) < 1e-6 * scaled) return decimals;
  }
  return 12;
};

const createLabeller = (largest: number, step: number): ((value: number) => string) => {
  if (largest >= 1e15 || largest < 1e-4) {
    return (value) => {
      if (value === 0) return '0';
      const power = Math.floor(Math.log10(Math.abs(value)) + 1e-9);
      const digits = Math.min(8, decimalsOf(step / 10 ** power));
      return value.toExponential(digits).replace('e+', 'e');
    };
  }
  const [unit, suffix] =
    (largest >= 1e5 ? SUFFIXES.find(([size]) => largest >= size) : undefined) ?? ([1, ''] as const);
  const decimals = decimalsOf(step / unit);
  return (value) => `${(value / unit).toFixed(decimals)}${value === 0 ? '' : suffix}`;
};

/** Multiples of a step in a range, its ends included. */
const multiplesIn = (low: number, high: number, step: number): number[] => {
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  // `|| 0` turns -0 into 0.
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * step || 0);
};

/** A round step with at least two ticks in the range, however the range lies. */
const stepWithTicks = (low: number, high: number, mostTicks: number): number => {
  for (let most = mostTicks; most < mostTicks + 4; most++) {
    const step = roundStep(high - low, most);
    if (multiplesIn(low, high, step).length >= 2) return step;
  }
  return roundStep(high - low, mostTicks + 4);
};

/** The scale over finite values; a single value gets room around it, no value a scale from 0 to 1. */
export const createValueScale = (values: readonly number[], mostTicks: number): ValueScale => {
  // Below this, powers of ten lose their digits.
  const finite = values
    .filter(Number.isFinite)
    .map((value) => (Math.abs(value) < SMALLEST ? 0 : value));
  let low = 0;
  let high = 1;
  if (finite.length > 0) {
    low = finite.reduce((a, b) => Math.min(a, b));
    high = finite.reduce((a, b) => Math.max(a, b));
  }
  const largest = Math.max(Math.abs(low), Math.abs(high));
  if (high - low <= largest * 1e-12) {
    const room = largest === 0 ? 1 : largest * 0.1;
    [low, high] = [low - room, high + room];
  }
  const step = stepWithTicks(low, high, mostTicks);
  const label = createLabeller(Math.max(Math.abs(low), Math.abs(high)), step);
  const ticks = multiplesIn(low, high, step).map((value) => ({ value, label: label(value) }));
  return { low, high, ticks };
};
