/**
 * Causal attention without most of what the mask throws away: queries in blocks, each of which sees the keys up
 * to its own end alone. With eight blocks nine sixteenths of the scores are computed. Heads are as narrow as 16
 * channels, so that time goes into the scores: plain products over few rows at once cost less than the fused
 * operator, which spreads the mask and goes through all scores once a step.
 */
import {
  add,
  concat,
  type Dim,
  dimOf,
  matmul,
  mul,
  multiplyDims,
  rearrange,
  slice,
  softmax,
  type Tensor,
  widthOf,
} from '@tollama/graph';

const BLOCKS = 8;

/** Fewer tokens than this are attended to at once. */
export const LEAST_TOKENS = 128;

/** The length of the first blocks; the last takes what is left. */
export const blockLength = (tokens: number): number => Math.floor(tokens / BLOCKS);

export interface CausalAttention {
  readonly heads: number;
  /** 0 where a key is seen, very low elsewhere: [1, 1, s, s] */
  readonly mask: Tensor;
  /** `blockLength` of s. */
  readonly block: Dim;
}

/** query, key, value [r, s, d] of the same tokens -> [r, s, d] */
export const attendInBlocks = (
  query: Tensor,
  key: Tensor,
  value: Tensor,
  { heads, mask, block }: CausalAttention,
): Tensor => {
  const length = dimOf(query, 1);
  const perHead = (x: Tensor): Tensor => rearrange(x, 'r s (h k) -> r h s k', { h: heads });
  const scaled = perHead(mul(query, 1 / Math.sqrt(widthOf(query) / heads)));
  const [keys, values] = [perHead(key), perHead(value)];
  const parts = Array.from({ length: BLOCKS }, (_, i) => {
    const start = multiplyDims(block, i);
    const end = i === BLOCKS - 1 ? length : multiplyDims(block, i + 1);
    const seen = (x: Tensor, axis: number): Tensor => slice(x, axis, { end });
    const asking = (x: Tensor): Tensor => slice(x, 2, { start, end });
    const scores = matmul(asking(scaled), seen(keys, 2), { transposeB: true });
    return matmul(softmax(add(scores, seen(asking(mask), 3))), seen(values, 2));
  });
  return rearrange(concat(parts, 2), 'r h s k -> r s (h k)');
};
