import { add, iota, rearrange, type Tensor, take } from '@tollama/graph';

/**
 * Windows of `size` points that lie side by side, or from each of `starts` on. x [b, t], starts int64 [n] ->
 * [b, n, size]
 */
export const patches = (x: Tensor, size: number, starts: Tensor | undefined): Tensor =>
  starts
    ? take(x, add(rearrange(starts, 'n -> n 1'), rearrange(iota(size), 'p -> 1 p')), 1)
    : rearrange(x, 'b (n p) -> b n p', { p: size });
