import {
  abs,
  add,
  constant,
  div,
  matmul,
  max,
  maximum,
  minimum,
  reshape,
  sqrt,
  sum,
  type Tensor,
} from '@tollama/graph';

const EPSILON = 1e-6;

const flat = (x: Tensor): Tensor =>
  reshape(x, [(x.shape as readonly number[]).reduce((a, b) => a * b, 1)]);

/** A dot product with itself is the fastest way to a sum of squares. x [n] -> [] */
const sumOfSquares = (x: Tensor): Tensor => {
  const row = reshape(x, [1, x.shape[0]!]);
  return reshape(matmul(row, row, { transposeB: true }), []);
};

const total = (terms: readonly Tensor[], join: (a: Tensor, b: Tensor) => Tensor): Tensor =>
  terms.length === 0 ? constant(0) : terms.reduce(join);

/** The norm over all elements of several tensors: 1, 2 or infinity. -> [] */
export const globalNorm = (gradients: readonly Tensor[], order: 1 | 2 | 'inf' = 2): Tensor => {
  const parts = gradients.map(flat);
  switch (order) {
    case 1:
      return total(
        parts.map((x) => sum(abs(x), 0)),
        add,
      );
    case 2:
      return sqrt(total(parts.map(sumOfSquares), add));
    case 'inf':
      return total(
        parts.map((x) => max(abs(x), 0)),
        maximum,
      );
  }
};

/** min(1, limit / (norm + 1e-6)), as torch.nn.utils.clip_grad_norm_; 1 without a limit. */
export const clipFactor = (norm: Tensor, limit: number | undefined): Tensor =>
  limit === undefined ? constant(1) : minimum(div(constant(limit), add(norm, EPSILON)), 1);
