/** The quantile head of r3: widths around the point forecast, from its shape over time. */
import {
  add,
  concat,
  constant,
  conv1d,
  dimOf,
  gelu,
  layerNormalize,
  matmul,
  mean,
  rearrange,
  repeat,
  slice,
  softplus,
  type Tensor,
  type Weights,
  widthOf,
} from '@tollama/graph';
import { linear } from '../../nn/linear.ts';
import { quantileLevels, type TtmConfig } from './config.ts';

/** eps of torch.nn.InstanceNorm1d. */
const INSTANCE_EPSILON = 1e-5;

/** What the decoder knows of a channel, to condition its widths on. hidden [b, c, n, d] -> [b, c, h] */
const conditionOf = (hidden: Tensor, w: Weights, c: TtmConfig): Tensor => {
  if (c.mq_cond_path === 'pool') return linear(mean(hidden, 2), w.at('dec_proj'), c.mq_hidden);
  const tokens = linear(hidden, w.at('dec_tok_proj'), c.mq_decoder_d_model);
  const flat = rearrange(tokens, 'b c n d -> b c (n d)');
  return linear(flat, w.at('dec_flat_to_hidden'), c.mq_hidden);
};

/** Each forecast as a curve over time, smoothed and standardised. forecast [r, 1, h] -> [r, 1, h] */
const shapeOfForecast = (forecast: Tensor, w: Weights, c: TtmConfig): Tensor => {
  const size = c.mq_kernel_size;
  const half = Math.floor(size / 2);
  // The norm takes away whatever the bias of the convolution adds.
  w.unused('dw.bias', [1]);
  const smooth = conv1d(forecast, w.get('dw.weight', [1, 1, size]), { padding: [half, half] });
  const steps = { t: dimOf(forecast, 2) };
  const overTime = (name: string): Tensor => repeat(w.get(`inorm.${name}`, [1]), '1 -> t', steps);
  return layerNormalize(smooth, overTime('weight'), overTime('bias'), INSTANCE_EPSILON);
};

/** Row q sums the increments between the median and level q: [levels, levels - 1] of -1, 0, 1. */
const increments = (levels: number): Tensor => {
  const side = (levels - 1) / 2;
  const rows = Array.from({ length: levels }, (_, q) =>
    Array.from({ length: 2 * side }, (_, i) => {
      const isBelow = i < side;
      const away = isBelow ? side - q : q - side;
      return i % side < away ? (isBelow ? -1 : 1) : 0;
    }),
  );
  return constant(rows.flat(), 'float32', [levels, 2 * side]);
};

/** forecast [b, c, h] normalised, hidden [b, c, n, d] of the decoder -> [b, c, levels, h] ascending */
export const quantileHead = (
  forecast: Tensor,
  hidden: Tensor,
  w: Weights,
  c: TtmConfig,
): Tensor => {
  const levels = quantileLevels(c).length;
  const curve = shapeOfForecast(rearrange(forecast, 'b c t -> (b c) 1 t'), w, c);
  const wide = conv1d(curve, w.get('pw1.weight', [c.mq_hidden, 1, 1]), {
    bias: w.get('pw1.bias', [c.mq_hidden]),
  });
  let features = gelu(wide); // [(b c), mq_hidden, h]
  if (c.mq_use_decoder_pool) {
    const condition = rearrange(conditionOf(hidden, w, c), 'b c h -> (b c) h 1');
    features =
      c.mq_cond_mode === 'add'
        ? add(features, condition)
        : concat([features, repeat(condition, 'r h 1 -> r h t', { t: dimOf(forecast, 2) })], 1);
  }
  const raw = conv1d(features, w.get('pw2.weight', [levels, widthOf(features, 1), 1]), {
    bias: w.get('pw2.bias', [levels]),
  });
  const heads = rearrange(raw, '(b c) q t -> b c q t', { c: dimOf(forecast, 1) });
  const point = rearrange(forecast, 'b c t -> b c 1 t');
  const isMedian = c.mq_q50_type.toLowerCase() === 'median';
  const median = isMedian ? add(point, slice(heads, 2, { end: 1 })) : point;
  if (levels === 1) return median;
  const widths = add(softplus(slice(heads, 2, { start: 1 })), c.mq_eps);
  return add(median, matmul(increments(levels), widths));
};
