/** Draws windows of training; where it stands can be saved, and a sampler that goes on from there draws the same. */
import { z } from 'zod';
import { RandomState, RandomStream } from './random-stream.ts';
import type { Window, WindowPlan } from './windows.ts';

export const SamplerState = z.strictObject({
  random: RandomState,
  /** Windows drawn so far. */
  drawn: z.int().min(0),
});
export type SamplerState = z.infer<typeof SamplerState>;

/** Every window is as likely as any other, whichever series it belongs to. */
export class WindowSampler {
  readonly #plan: WindowPlan;
  readonly #random: RandomStream;
  /** Windows up to and with each range. */
  readonly #ends: readonly number[];
  #drawn = 0;

  constructor(plan: WindowPlan, seed: number) {
    this.#plan = plan;
    this.#random = RandomStream.of(seed);
    let end = 0;
    this.#ends = plan.ranges.map(({ count }) => {
      end += count;
      return end;
    });
  }

  get drawn(): number {
    return this.#drawn;
  }

  draw(size: number): Window[] {
    this.#drawn += size;
    return Array.from({ length: size }, () => this.#window(this.#random.integer(this.#plan.count)));
  }

  state(): SamplerState {
    const [a, b, c, d] = this.#random.state();
    return { random: [a, b, c, d], drawn: this.#drawn };
  }

  load({ random, drawn }: SamplerState): void {
    this.#random.load(random);
    this.#drawn = drawn;
  }

  /** The range of a window's number by bisection. */
  #window(number: number): Window {
    let low = 0;
    let high = this.#ends.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#ends[middle]! > number) high = middle;
      else low = middle + 1;
    }
    const { series, first, count } = this.#plan.ranges[low]!;
    return { series, start: first + number - (this.#ends[low]! - count) };
  }
}
