/** How good the network is on fixed examples: its loss against the last season's, as a geometric mean over series. */
import type { TrainingStep } from '../step/training-step.ts';
import { batchOf } from './batches.ts';
import { ORIGIN_WIDTH, ROW_WIDTH, STEPS } from './windows.ts';

export interface Verdict {
  /** Mean loss, in units of the scales. */
  readonly loss: number;
  /** Geometric mean over examples of loss / error of the last season's value. */
  readonly relative: number;
  /** The same by horizon: up to 16, 64, 256, beyond. */
  readonly byHorizon: readonly number[];
  readonly bySource: ReadonlyMap<number, number>;
}

const ROWS = 256;
const BOUNDS = [16, 64, 256, Number.POSITIVE_INFINITY];
/** Keeps the logarithm of perfect forecasts finite. */
const LEAST = 0.01;

class GeometricMeans<Key> {
  readonly #sums = new Map<Key, { sum: number; count: number }>();
  add(key: Key, value: number): void {
    const entry = this.#sums.get(key) ?? { sum: 0, count: 0 };
    entry.sum += Math.log(value);
    entry.count++;
    this.#sums.set(key, entry);
  }
  entries(): Map<Key, number> {
    return new Map([...this.#sums].map(([key, { sum, count }]) => [key, Math.exp(sum / count)]));
  }
}

/** Evaluates all rows of a block of examples. */
export const validate = async (step: TrainingStep, block: Float32Array): Promise<Verdict> => {
  const rows = Math.floor(block.length / ROW_WIDTH);
  const all = new GeometricMeans<string>();
  const horizons = new GeometricMeans<number>();
  const sources = new GeometricMeans<number>();
  let total = 0;
  for (let from = 0; from < rows; from += ROWS) {
    const count = Math.min(ROWS, rows - from);
    const { feeds, origins, naive } = batchOf(
      block,
      Int32Array.from({ length: count }, (_, i) => from + i),
    );
    const { outputs } = await step.evaluate(feeds);
    const losses = outputs.losses!.data as Float32Array;
    for (let i = 0; i < count; i++) {
      let own = 0;
      let base = 0;
      for (let k = i * STEPS; k < (i + 1) * STEPS; k++) {
        own += losses[k]! / STEPS;
        base += naive[k]! / STEPS;
      }
      total += own;
      if (base < LEAST) continue;
      const ratio = Math.min(10, Math.max(own, LEAST * base) / base);
      all.add('all', ratio);
      const horizon = origins[i * ORIGIN_WIDTH + 2]!;
      horizons.add(
        BOUNDS.findIndex((bound) => horizon <= bound),
        ratio,
      );
      sources.add(origins[i * ORIGIN_WIDTH]!, ratio);
    }
  }
  const byHorizon = horizons.entries();
  return {
    loss: total / rows,
    relative: all.entries().get('all') ?? Number.NaN,
    byHorizon: BOUNDS.map((_, i) => byHorizon.get(i) ?? Number.NaN),
    bySource: sources.entries(),
  };
};
