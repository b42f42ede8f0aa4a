/**
 * The switches around TimesFM 2.5's decoding (configs.py, `ForecastConfig`; timesfm_2p5_torch.py,
 * `_compiled_decode`), in the order in which they act.
 */
import { TollamaError } from '@tollama/core/errors';
import { z } from 'zod';
import type { RunGraph } from '../../family.ts';
import type { Config } from './config.ts';
import { CHANNELS, type Decoded, decode, MEDIAN } from './decode.ts';
import type { Channels } from './regression.ts';
import { divisorOf, type Window, windowMoments, windowOf } from './windows.ts';

/** Names and defaults of ForecastConfig; 0 stands for "as much as the series asks for". */
export const Flags = z.object({
  max_context: z.int().min(0).default(0),
  max_horizon: z.int().min(0).default(0),
  normalize_inputs: z.boolean().default(false),
  use_continuous_quantile_head: z.boolean().default(false),
  force_flip_invariance: z.boolean().default(true),
  infer_is_positive: z.boolean().default(true),
  fix_quantile_crossing: z.boolean().default(false),
  return_backcast: z.boolean().default(false),
  /** Most series of a run; changes no number. */
  per_core_batch_size: z.int().positive().optional(),
  /** Not made use of by the reference either. */
  window_size: z.int().min(0).default(0),
});
export type Flags = z.infer<typeof Flags>;

/** Points of context and horizon as the network counts them. */
interface Sizes {
  /** The longest context, whole patches. */
  readonly context: number;
  /** Whole blocks. */
  readonly horizon: number;
}

const refuse = (message: string, hint: string): never => {
  throw new TollamaError('INVALID_REQUEST', message, { hint });
};

const roundUp = (value: number, step: number): number => Math.ceil(value / step) * step;

/** Throws INVALID_REQUEST where context and horizon do not fit the model. */
const sizesOf = (horizon: number, longest: number, flags: Flags, c: Config): Sizes => {
  const { inputPatch, outputPatch, spreadLength, contextLimit } = c;
  if (flags.max_horizon > 0 && horizon > flags.max_horizon) {
    refuse(
      `horizon ${horizon} is longer than options.max_horizon = ${flags.max_horizon}`,
      'raise max_horizon or leave it out',
    );
  }
  const rounded = roundUp(flags.max_horizon || horizon, outputPatch);
  const room = Math.floor((contextLimit - rounded) / inputPatch) * inputPatch;
  const wanted = roundUp(flags.max_context || Math.min(longest, room), inputPatch);
  if (room < inputPatch) {
    refuse(
      `horizon ${rounded} leaves no room for a context: together they end at ${contextLimit} points`,
      `ask for at most ${contextLimit - outputPatch} steps`,
    );
  }
  if (wanted > room) {
    refuse(
      `context ${wanted} and horizon ${rounded} are together longer than ${contextLimit} points`,
      `ask for at most ${room} points of context with this horizon`,
    );
  }
  if (flags.use_continuous_quantile_head && rounded > spreadLength) {
    refuse(
      `the continuous quantile head ends at ${spreadLength} steps, not ${rounded}`,
      'shorten the horizon or leave out use_continuous_quantile_head',
    );
  }
  return { context: wanted, horizon: rounded };
};

/** Deciles of the negated series, in the order of the series' own; channel 0 is the mean. */
const mirrored = (channel: number): number => (channel === 0 ? 0 : CHANNELS - channel);

/** (a - b) / 2, where b forecasts the negated series. */
const flipInvariant = (a: Float32Array, b: Float32Array): Float32Array =>
  a.map((value, i) => {
    const channel = i % CHANNELS;
    return (value - b[i - channel + mirrored(channel)]!) / 2;
  });

/** The spread of the continuous head around the median of the other one. */
const withSpread = (forecast: Float32Array, spread: Float32Array): Float32Array =>
  forecast.map((value, i) => {
    const channel = i % CHANNELS;
    if (channel === 0 || channel === MEDIAN) return value;
    const median = i - channel + MEDIAN;
    return spread[i]! - spread[median]! + forecast[median]!;
  });

/** Moves deciles that cross, outwards from the median. Changes the array. */
const fixCrossing = (rows: Float32Array): void => {
  for (let start = 0; start < rows.length; start += CHANNELS) {
    for (let i = MEDIAN - 1; i > 0; i--) {
      rows[start + i] = Math.min(rows[start + i]!, rows[start + i + 1]!);
    }
    for (let i = MEDIAN + 1; i < CHANNELS; i++) {
      rows[start + i] = Math.max(rows[start + i]!, rows[start + i - 1]!);
    }
  }
};

/** Both directions of a series as one; each with the median's spread where it is asked for. */
const combine = (plain: Decoded, flipped: Decoded | undefined, flags: Flags): Decoded => {
  const both = (part: keyof Decoded): Float32Array =>
    flipped ? flipInvariant(plain[part], flipped[part]) : plain[part];
  const [forecast, spread] = [both('forecast'), both('spread')];
  return {
    forecast: flags.use_continuous_quantile_head ? withSpread(forecast, spread) : forecast,
    backcast: both('backcast'),
    spread,
  };
};

interface Scaled {
  readonly window: Window;
  readonly mu: number;
  readonly sigma: number;
}

const scaledWindow = (window: Window, { normalize_inputs }: Flags): Scaled => {
  if (!normalize_inputs) return { window, mu: 0, sigma: 1 };
  const { mu, sigma } = windowMoments(window);
  const divisor = divisorOf(sigma);
  const values = window.values.map((value) => Math.fround(value - mu) / divisor);
  return { window: { ...window, values }, mu, sigma };
};

const finish = (
  decoded: Decoded,
  steps: number,
  raw: Window,
  s: Scaled,
  flags: Flags,
): Channels => {
  const isPositive = flags.infer_is_positive && raw.values.every((value) => value >= 0);
  const end = (rows: Float32Array): Float32Array => {
    if (flags.fix_quantile_crossing) fixCrossing(rows);
    return rows.map((value) => {
      const own = value * s.sigma + s.mu;
      return isPositive ? Math.max(own, 0) : own;
    });
  };
  return {
    forecast: end(decoded.forecast.slice(0, steps * CHANNELS)),
    backcast: end(decoded.backcast),
  };
};

/**
 * Forecasts rows without missing values.
 *
 * @throws TollamaError INVALID_REQUEST where context and horizon do not fit the model
 */
export const forecastRows = async (
  run: RunGraph,
  rows: readonly ArrayLike<number>[],
  horizon: number,
  flags: Flags,
  c: Config,
): Promise<Channels[]> => {
  const longest = rows.reduce((most, { length }) => Math.max(most, length), 1);
  const sizes = sizesOf(horizon, longest, flags, c);
  const windows = rows.map((row) => {
    // Without a limit of the caller's a series has no more padding than its first patch needs.
    const own = flags.max_context > 0 ? sizes.context : roundUp(row.length, c.inputPatch);
    return windowOf(row, Math.min(own, sizes.context));
  });
  const scaled = windows.map((window) => scaledWindow(window, flags));
  const plain = scaled.map(({ window }) => window);
  const flips = flags.force_flip_invariance;
  const negated = plain.map((window) => ({ ...window, values: window.values.map((x) => -x) }));
  const decoded = await decode(run, flips ? [...plain, ...negated] : plain, c, {
    blocks: sizes.horizon / c.outputPatch,
    hasBackcast: flags.return_backcast,
    hasSpread: flags.use_continuous_quantile_head,
    batch: flags.per_core_batch_size && flags.per_core_batch_size * (flips ? 2 : 1),
  });
  return windows.map((window, i) => {
    const both = combine(decoded[i]!, flips ? decoded[i + rows.length] : undefined, flags);
    return finish(both, horizon, window, scaled[i]!, flags);
  });
};
