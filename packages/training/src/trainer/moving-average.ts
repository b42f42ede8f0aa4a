/** Exponential moving average of the parameters (Polyak & Juditsky 1992, in the form that deep learning uses). */
import type { TensorValue } from '@tollama/graph';

type Tensors = ReadonlyMap<string, TensorValue>;

const copyOf = ({ dtype, dims, data }: TensorValue): TensorValue => ({
  dtype,
  dims,
  data: Float32Array.from(data as Float32Array),
});

/** Copies float32 tensors. */
export const copyTensors = (tensors: Tensors): Map<string, TensorValue> =>
  new Map([...tensors].map(([name, value]) => [name, copyOf(value)]));

const move = (average: TensorValue, value: TensorValue, keep: number): void => {
  const to = average.data as Float32Array;
  const from = value.data as Float32Array;
  for (let i = 0; i < to.length; i++) to[i] = keep * to[i]! + (1 - keep) * from[i]!;
};

/** a = decay a + (1 - decay) p after each step; the decay warms up as (1 + t) / (10 + t). */
export class MovingAverage {
  readonly #decay: number;
  #values: Map<string, TensorValue>;

  constructor(decay: number, parameters: Tensors) {
    this.#decay = decay;
    this.#values = copyTensors(parameters);
  }

  get values(): Tensors {
    return this.#values;
  }

  /**
   * Follows what is trained: a seed's tensors begin with their value after their first step, and go when it goes.
   * @param step committed steps, this one included
   */
  update(parameters: Tensors, step: number): void {
    const keep = Math.min(this.#decay, (1 + step) / (10 + step));
    for (const name of this.#values.keys()) if (!parameters.has(name)) this.#values.delete(name);
    for (const [name, value] of parameters) {
      const average = this.#values.get(name);
      if (average) move(average, value, keep);
      else this.#values.set(name, copyOf(value));
    }
  }

  load(values: Tensors): void {
    this.#values = copyTensors(values);
  }
}
