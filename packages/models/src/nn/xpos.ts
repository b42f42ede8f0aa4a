/**
 * The growth that xPos adds to rotary positions (Sun et al. 2022, "A Length-Extrapolatable Transformer"):
 * a channel of a query grows by its base to the power of the distance to a centre, and that of a key
 * shrinks by as much, so that their product tells the distance between the two.
 */
import { constant, pow, rearrange, type Tensor } from '@tollama/graph';

/** (2i + 0.4 width) / (1.4 width) of each pair i of channels. */
export const xposBases = (width: number): number[] =>
  Array.from({ length: width / 2 }, (_, i) => (2 * i + 0.4 * width) / (1.4 * width));

/** bases to the power of exponent. exponent [s] -> [s, bases.length] */
export const xposGrowth = (bases: readonly number[], exponent: Tensor): Tensor =>
  pow(constant(bases), rearrange(exponent, 's -> s 1'));
