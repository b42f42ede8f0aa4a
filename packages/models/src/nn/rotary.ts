/**
 * Rotary position embedding (Su et al. 2021, arXiv:2104.09864): pairs of channels of every head are turned by
 * angles that grow with the position, so that query . key depends on the distance alone.
 */
import {
  cast,
  constant,
  cos,
  mul,
  type RotaryPairs,
  rearrange,
  sin,
  type Tensor,
  turnPairs,
} from '@tollama/graph';

/** Cosines and sines of all angles, [s, r/2] or [b, s, r/2] each. */
export interface Rotation {
  readonly cos: Tensor;
  readonly sin: Tensor;
}

/** The angles position * theta^(-2i/turned) of `turned` channels. positions [s] or [b, s], any number type */
export const rotationOf = (positions: Tensor, turned: number, theta = 10000): Rotation => {
  const { fround } = Math;
  const frequencies = Array.from({ length: turned / 2 }, (_, i) =>
    fround(1 / fround(theta ** fround((2 * i) / turned))),
  );
  const pattern = positions.shape.length === 1 ? 's -> s 1' : 'b s -> b s 1';
  const angles = mul(rearrange(cast(positions, 'float32'), pattern), constant(frequencies));
  return { cos: cos(angles), sin: sin(angles) };
};

/** Turns every head of x [b, s, h*k] by the angles of its position; other channels of a head pass. */
export const rotate = (
  x: Tensor,
  rotation: Rotation,
  heads: number,
  pairs: RotaryPairs = 'halves',
): Tensor => turnPairs(x, rotation.cos, rotation.sin, { heads, pairs });
