import { affine, type Tensor, type Weights, widthOf } from '@tollama/graph';

export interface LinearOptions {
  readonly bias?: boolean;
}

/** torch's nn.Linear: `weight` [out, in] and, unless switched off, `bias` [out]. x [..., in] -> [..., out] */
export const linear = (
  x: Tensor,
  w: Weights,
  out: number,
  { bias = true }: LinearOptions = {},
): Tensor => affine(x, w.get('weight', [out, widthOf(x)]), bias ? w.get('bias', [out]) : undefined);
