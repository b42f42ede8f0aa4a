/**
 * What scales one path of Lag-Llama: it follows each value that is drawn (lag_llama/model/module.py and gluonts,
 * torch/scaler.py). The published model has `robust`.
 */
import { type RobustScale, robustScale, SortedValues } from './robust-scaler.ts';

export const SCALINGS = ['robust', 'mean', 'std'] as const;
/** Null for no scaling at all. */
export type Scaling = (typeof SCALINGS)[number] | null;

export interface PathScaler {
  /** Of all that is known by now. */
  readonly affine: RobustScale;
  insert(value: number): void;
}

const MINIMUM_MEAN = 1e-10;
const MINIMUM_VARIANCE = 1e-5;

class RobustScaler implements PathScaler {
  readonly #sorted: SortedValues;
  #affine: RobustScale;

  constructor(known: Float32Array, room: number) {
    this.#sorted = new SortedValues(known, room);
    this.#affine = robustScale(this.#sorted.values);
  }

  get affine(): RobustScale {
    return this.#affine;
  }

  insert(value: number): void {
    this.#sorted.insert(value);
    this.#affine = robustScale(this.#sorted.values);
  }
}

/** Sums over the values, from which mean and deviation follow (Welford). */
class MomentScaler implements PathScaler {
  readonly #scaling: 'mean' | 'std';
  #count = 0;
  #sizes = 0;
  #mean = 0;
  #squares = 0;

  constructor(scaling: 'mean' | 'std', known: Float32Array) {
    this.#scaling = scaling;
    for (const value of known) this.insert(value);
  }

  get affine(): RobustScale {
    const count = Math.max(this.#count, 1);
    if (this.#scaling === 'mean') {
      const scale = Math.max(this.#sizes / count, MINIMUM_MEAN);
      return { loc: 0, scale: Math.fround(scale) };
    }
    const scale = Math.sqrt(this.#squares / count + MINIMUM_VARIANCE);
    return { loc: Math.fround(this.#mean), scale: Math.fround(scale) };
  }

  insert(value: number): void {
    const before = this.#mean;
    this.#count++;
    this.#sizes += Math.abs(value);
    this.#mean += (value - before) / this.#count;
    this.#squares += (value - before) * (value - this.#mean);
  }
}

const UNSCALED: PathScaler = { affine: { loc: 0, scale: 1 }, insert: () => {} };

/**
 * @param known the known values of the window, in any order
 * @param room how many more will come
 */
export const pathScaler = (scaling: Scaling, known: Float32Array, room: number): PathScaler => {
  if (scaling === null) return UNSCALED;
  return scaling === 'robust' ? new RobustScaler(known, room) : new MomentScaler(scaling, known);
};
