/** The host of the harness: a small forecaster that really learns, on series that are made here. */
import {
  add,
  affine,
  defineGraph,
  type Feeds,
  type Graph,
  input,
  mean,
  mul,
  parameter,
  relu,
  sub,
  type TensorValue,
} from '@tollama/graph';
import { RandomStream } from '../data/random-stream.ts';
import type { Slot } from '../kasmina/seed-plan.ts';
import type { BatchSource } from '../trainer/trainer-options.ts';

const CONTEXT = 48;
const WIDTH = 64;
const HORIZON = 12;

/** The linear layers that seeds may grow in. */
export const HOST_SLOTS: readonly Slot[] = [
  { name: 'body', modules: ['body'] },
  { name: 'head', modules: ['head'] },
];

const weight = (name: string, out: number, width: number) =>
  parameter(`${name}.weight`, [out, width], 'float32');

/** A residual perceptron. context [batch, 48], label [batch, 12] -> loss [], forecast [batch, 12] */
export const hostGraph = (): Graph => {
  const context = input('context', ['batch', CONTEXT]);
  const label = input('label', ['batch', HORIZON]);
  const embedded = affine(context, weight('embed', WIDTH, CONTEXT));
  const body = add(embedded, relu(affine(embedded, weight('body', WIDTH, WIDTH))));
  const bias = parameter('head.bias', [HORIZON], 'float32');
  const forecast = add(affine(body, weight('head', HORIZON, WIDTH)), bias);
  const error = sub(forecast, label);
  return defineGraph('host', [context, label], { loss: mean(mul(error, error), [0, 1]), forecast });
};

export const hostParameters = (seed: number): ReadonlyMap<string, TensorValue> => {
  const random = RandomStream.of(seed);
  const tensor = (out: number, width: number): TensorValue => {
    const bound = 1 / Math.sqrt(width);
    const draw = (): number => bound * (2 * random.uniform() - 1);
    return {
      dtype: 'float32',
      dims: [out, width],
      data: Float32Array.from({ length: out * width }, draw),
    };
  };
  return new Map([
    ['embed.weight', tensor(WIDTH, CONTEXT)],
    ['body.weight', tensor(WIDTH, WIDTH)],
    ['head.weight', tensor(HORIZON, WIDTH)],
    ['head.bias', { dtype: 'float32', dims: [HORIZON], data: new Float32Array(HORIZON) }],
  ]);
};

/** What waves look like: their periods in steps, their drift a step, their noise. */
export interface WaveRange {
  readonly shortest: number;
  readonly longest: number;
  readonly slope: number;
  readonly noise: number;
}

const WAVES: WaveRange = { shortest: 6, longest: 24, slope: 0.02, noise: 0.1 };

/** A wave with a drift and noise, of mean 0 over its context and spread about 1. */
const draw = (random: RandomStream, values: Float32Array, range: WaveRange): void => {
  const { shortest, longest } = range;
  const period = shortest + (longest - shortest) * random.uniform();
  const phase = 2 * Math.PI * random.uniform();
  const slope = range.slope * (random.uniform() - 0.5);
  for (let t = 0; t < values.length; t++) {
    const wave = Math.sin(phase + (2 * Math.PI * t) / period);
    values[t] = wave + slope * (t - CONTEXT / 2) + range.noise * (random.uniform() - 0.5);
  }
};

export const hostBatch = (random: RandomStream, size: number, range = WAVES): Feeds => {
  const context = new Float32Array(size * CONTEXT);
  const label = new Float32Array(size * HORIZON);
  const series = new Float32Array(CONTEXT + HORIZON);
  for (let i = 0; i < size; i++) {
    draw(random, series, range);
    context.set(series.subarray(0, CONTEXT), i * CONTEXT);
    label.set(series.subarray(CONTEXT), i * HORIZON);
  }
  return {
    context: { dtype: 'float32', dims: [size, CONTEXT], data: context },
    label: { dtype: 'float32', dims: [size, HORIZON], data: label },
  };
};

/** @param spoil is shown every batch with its number, from 1, before it is used */
export const hostBatches = (
  seed: number,
  size: number,
  spoil: (batch: number, feeds: Feeds) => void = () => {},
): BatchSource => {
  const random = RandomStream.of(seed);
  let drawn = 0;
  return {
    next: () => {
      const feeds = hostBatch(random, size);
      drawn++;
      spoil(drawn, feeds);
      return [feeds];
    },
    state: () => {
      const [a, b, c, d] = random.state();
      return { random: [a, b, c, d], drawn };
    },
    load: (state) => {
      random.load(state.random);
      drawn = state.drawn;
    },
  };
};

/** Share of forecast points that lie on the true side of the last value seen. */
export const directionAccuracy = (feeds: Feeds, forecast: TensorValue): number => {
  const context = feeds.context!.data as Float32Array;
  const label = feeds.label!.data as Float32Array;
  const values = forecast.data as Float32Array;
  let right = 0;
  for (let i = 0; i < label.length; i++) {
    const last = context[Math.floor(i / HORIZON) * CONTEXT + CONTEXT - 1]!;
    if (Math.sign(label[i]! - last) === Math.sign(values[i]! - last)) right++;
  }
  return right / label.length;
};
