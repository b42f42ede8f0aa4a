/**
 * Causal attention without most of what the mask throws away: queries in blocks, each of which sees the keys up
 * to its own end alone. With four blocks five eighths of the scores are computed.
 */
import { attend, concat, type Dim, dimOf, multiplyDims, slice, type Tensor } from '@tollama/graph';

const BLOCKS = 4;

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
  const parts = Array.from({ length: BLOCKS }, (_, i) => {
    const start = multiplyDims(block, i);
    const end = i === BLOCKS - 1 ? length : multiplyDims(block, i + 1);
    const bias = slice(slice(mask, 2, { start, end }), 3, { end });
    const seen = (x: Tensor): Tensor => slice(x, 1, { end });
    return attend(slice(query, 1, { start, end }), seen(key), seen(value), { heads, bias });
  });
  return concat(parts, 1);
};
