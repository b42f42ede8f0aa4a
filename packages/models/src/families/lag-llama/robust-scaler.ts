/** Lag-Llama's scaler: median and range between the quartiles (gluon_utils/scalers/robust_scaler.py). */

const MINIMUM_SCALE = 1e-10;

export interface RobustScale {
  readonly loc: number;
  readonly scale: number;
}

/** The value with rank level * (n - 1), linear between neighbours, in float32 as torch.nanquantile. */
const quantile = (ascending: Float32Array, level: number): number => {
  const rank = Math.fround(level * (ascending.length - 1));
  const below = Math.floor(rank);
  const low = ascending[below]!;
  const high = ascending[Math.min(below + 1, ascending.length - 1)]!;
  const weight = Math.fround(rank - below);
  const step = Math.fround(high - low);
  return weight < 0.5
    ? Math.fround(low + Math.fround(weight * step))
    : Math.fround(high - Math.fround(step * Math.fround(1 - weight)));
};

/** The lower median and the range between the quartiles of ascending values; 0 and 1 of none. */
export const robustScale = (ascending: Float32Array): RobustScale => {
  if (ascending.length === 0) return { loc: 0, scale: 1 };
  const range = Math.fround(quantile(ascending, 0.75) - quantile(ascending, 0.25));
  return {
    loc: ascending[(ascending.length - 1) >> 1]!,
    scale: Math.max(range, Math.fround(MINIMUM_SCALE)),
  };
};

/** Ascending values to which others come one by one. */
export class SortedValues {
  readonly #values: Float32Array;
  #count: number;

  /** @param room how many more will come */
  constructor(values: Float32Array, room: number) {
    this.#values = new Float32Array(values.length + room);
    this.#values.set(values.toSorted());
    this.#count = values.length;
  }

  get values(): Float32Array {
    return this.#values.subarray(0, this.#count);
  }

  insert(value: number): void {
    let [low, high] = [0, this.#count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#values[middle]! <= value) low = middle + 1;
      else high = middle;
    }
    this.#values.copyWithin(low + 1, low, this.#count);
    this.#values[low] = value;
    this.#count++;
  }
}
