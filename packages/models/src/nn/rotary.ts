/**
 * Rotary position embedding (Su et al. 2021, arXiv:2104.09864): channel pairs of every head are turned by
 * an angle that grows with the position, so that query . key depends on the distance alone.
 */
import {
  add,
  cast,
  constant,
  cos,
  matmul,
  mul,
  rearrange,
  sin,
  type Tensor,
  widthOf,
} from '@tollama/graph';

/** Which channels turn together: (0, 1), (2, 3), ... or (0, k/2), (1, k/2 + 1), ... */
export type RotaryPairs = 'neighbours' | 'halves';

export interface RotaryOptions {
  readonly pairs: RotaryPairs;
  /** Width of a head. */
  readonly width: number;
  /** Channels from the first that turn, the others pass; all when absent. */
  readonly turned?: number;
  readonly base?: number;
}

/** What turns every head of a sequence: cosines and sines [b, s, 1, k], and the swap of pairs [k, k]. */
export interface Rotation {
  readonly cos: Tensor;
  readonly sin: Tensor;
  readonly swap: Tensor;
}

/** The channel that `channel` turns with, and the sign that it enters with. */
const partnerOf = (channel: number, turned: number, pairs: RotaryPairs): [number, number] => {
  if (pairs === 'neighbours') return channel % 2 === 0 ? [channel + 1, -1] : [channel - 1, 1];
  const half = turned / 2;
  return channel < half ? [channel + half, -1] : [channel - half, 1];
};

/** base^(-2i / turned) of the pair that each channel belongs to, 0 for channels that pass: [k] */
const frequencies = ({ pairs, width, turned = width, base = 10000 }: RotaryOptions): number[] =>
  Array.from({ length: width }, (_, channel) => {
    if (channel >= turned) return 0;
    const pair = pairs === 'neighbours' ? Math.floor(channel / 2) : channel % (turned / 2);
    return base ** ((-2 * pair) / turned);
  });

/** The rotation of whole positions: [b, s] of any number type. */
export const rotationAt = (positions: Tensor, options: RotaryOptions): Rotation => {
  const { pairs, width, turned = width } = options;
  const at = rearrange(cast(positions, 'float32'), 'b s -> b s 1 1');
  const angle = mul(at, constant(frequencies(options)));
  const swap = new Array<number>(width * width).fill(0);
  for (let channel = 0; channel < turned; channel++) {
    const [partner, sign] = partnerOf(channel, turned, pairs);
    swap[partner * width + channel] = sign;
  }
  return { cos: cos(angle), sin: sin(angle), swap: constant(swap, 'float32', [width, width]) };
};

/** x [b, s, h, k] -> [b, s, h, k] */
export const rotate = (x: Tensor, { cos, sin, swap }: Rotation): Tensor => {
  if (widthOf(x) !== widthOf(swap))
    throw new RangeError('rotate: the rotation is of another width');
  return add(mul(x, cos), mul(matmul(x, swap), sin));
};
