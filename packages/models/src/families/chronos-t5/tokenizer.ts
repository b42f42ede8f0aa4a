/**
 * Values as tokens: divided by their mean absolute value and put into equal bins
 * (chronos.py, MeanScaleUniformBins). All numbers are float32.
 */
import type { ChronosT5Config } from './config.ts';

type TokenizerConfig = ChronosT5Config['chronos_config'];

export interface Bins {
  /** Ascending, [bins] */
  readonly centers: Float32Array;
  /** Between them, with -1e20 and 1e20 at the ends: [bins + 1] */
  readonly borders: Float32Array;
}

export interface Tokenized {
  readonly ids: readonly number[];
  /** Whether a token is an observation or the end token, not padding or a gap. */
  readonly observed: readonly boolean[];
  readonly scale: number;
}

const OUTERMOST = 1e20;

/** Centres as torch.linspace rounds them: once, after a fused product and sum, from the nearer end. */
export const binsOf = ({ tokenizer_kwargs, n_tokens, n_special_tokens }: TokenizerConfig): Bins => {
  const { low_limit: low, high_limit: high } = tokenizer_kwargs;
  const count = n_tokens - n_special_tokens - 1;
  const step = Math.fround((high - low) / (count - 1));
  const centers = Float32Array.from({ length: count }, (_, i) =>
    i < Math.floor(count / 2) ? low + i * step : high - (count - 1 - i) * step,
  );
  const between = centers.subarray(1).map((center, i) => Math.fround(center + centers[i]!) / 2);
  return { centers, borders: Float32Array.of(-OUTERMOST, ...between, OUTERMOST) };
};

/** How many borders lie at or below a value. */
const bordersBelow = (borders: Float32Array, value: number): number => {
  let [from, to] = [0, borders.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (borders[middle]! <= value) from = middle + 1;
    else to = middle;
  }
  return from;
};

const scaleOf = (values: Float32Array): number => {
  let [sum, count] = [0, 0];
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    sum += Math.abs(value);
    count++;
  }
  const scale = Math.fround(Math.fround(sum) / count);
  return scale > 0 ? scale : 1;
};

/** The last points of a series as tokens; the end token follows where the model has one. */
export const tokenize = (values: ArrayLike<number>, bins: Bins, c: TokenizerConfig): Tokenized => {
  const all = Float32Array.from(values);
  const kept = all.subarray(Math.max(0, all.length - c.context_length));
  const scale = scaleOf(kept);
  const ids = Array.from(kept, (value) => {
    if (Number.isNaN(value)) return c.pad_token_id;
    const id = bordersBelow(bins.borders, Math.fround(value / scale)) + c.n_special_tokens;
    return Math.min(id, c.n_tokens - 1);
  });
  const observed = Array.from(kept, (value) => !Number.isNaN(value));
  if (!c.use_eos_token) return { ids, observed, scale };
  return { ids: [...ids, c.eos_token_id], observed: [...observed, true], scale };
};

/** The value of a token; special tokens mean the lowest bin. */
export const valueOfToken = (
  token: number,
  scale: number,
  bins: Bins,
  c: TokenizerConfig,
): number => {
  const last = bins.centers.length - 1;
  const place = Math.min(Math.max(token - c.n_special_tokens - 1, 0), last);
  return Math.fround(bins.centers[place]! * scale);
};
