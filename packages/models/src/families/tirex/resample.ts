/**
 * TiRex' resampling of long seasons (tirex/util.py, `frequency_resample`): where one season is longer than
 * a patch should hold, the series is averaged down so that it fits, forecast, and the forecast drawn out again.
 */
import { magnitudes } from './spectrum.ts';

/** The points that one season should have. */
const SEASON = 64;
/** The longest season that is looked for; series of less than two of them stay as they are. */
const LONGEST = 1000;
/** Forecasts of fewer steps stay as they are. */
const SHORTEST_HORIZON = 100;
/** Peaks of the spectrum have at least this share of its largest magnitude. */
const PROMINENCE = 0.1;
/** Series are averaged down to a half, a third, ... a twelfth. */
const LARGEST_DIVISOR = 12;
/** Two peaks of about twice the frequency are one season, the longer. */
const OCTAVE = [1.5, 2.5] as const;

const { fround } = Math;

/** Straight lines across gaps, the nearest value before the first and after the last one. */
const withoutGaps = (values: Float32Array): Float32Array => {
  const known = Array.from(values.keys()).filter((i) => Number.isFinite(values[i]));
  if (known.length === 0) return new Float32Array(values.length);
  let next = 0;
  return values.map((value, i) => {
    while (next < known.length && known[next]! < i) next++;
    if (Number.isFinite(value)) return value;
    const [before, after] = [known[next - 1], known[next]];
    if (before === undefined) return values[after!]!;
    if (after === undefined) return values[before]!;
    const share = (i - before) / (after - before);
    return values[before]! + (values[after]! - values[before]!) * share;
  });
};

/** One-sided amplitudes under Hann's window as shares of the largest one. */
const spectrumOf = (row: Float32Array): Float64Array => {
  const n = row.length;
  const filled = withoutGaps(row);
  const mean = filled.reduce((sum, value) => sum + value, 0) / n;
  const windowed = Float64Array.from(
    filled,
    (value, i) => (value - mean) * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / n)),
  );
  const twoSided = magnitudes(windowed);
  const last = n % 2 === 0 ? twoSided.length - 1 : twoSided.length;
  const oneSided = twoSided.map((value, i) => (i > 0 && i < last ? 2 * value : value));
  const largest = oneSided.reduce((most, value) => Math.max(most, value), 0);
  return largest > 0 ? oneSided.map((value) => value / largest) : oneSided;
};

/** Frequencies of the highest peaks, falling; none where a season is shorter than `SEASON`. */
const peaksOf = (row: Float32Array): number[] => {
  const frequency = (i: number): number => fround(i / row.length);
  const spectrum = spectrumOf(row).map((value, i) =>
    frequency(i) >= fround(1 / LONGEST) ? value : 0,
  );
  const peaks: number[] = [];
  for (let i = 1; i < spectrum.length - 2; i++) {
    const height = spectrum[i]!;
    const isPeak = height > spectrum[i - 1]! && height > spectrum[i + 1]!;
    if (isPeak && height > PROMINENCE) peaks.push(i);
  }
  if (peaks.some((i) => 1 / frequency(i) < SEASON)) return [];
  return peaks
    .filter((i) => 1 / frequency(i) <= LONGEST)
    .sort((a, b) => spectrum[b]! - spectrum[a]!)
    .map(frequency);
};

/** Points after resampling for each point before: 1, or 1/2 ... 1/12 as a float32. */
export const resamplingRate = (row: Float32Array, horizon: number): number => {
  if (row.length < 2 * LONGEST || horizon < SHORTEST_HORIZON) return 1;
  const [highest, second] = peaksOf(row);
  if (highest === undefined) return 1;
  const ratio = second === undefined ? 1 : Math.max(highest, second) / Math.min(highest, second);
  const isOctave = ratio >= OCTAVE[0] && ratio <= OCTAVE[1];
  const chosen = isOctave ? Math.min(highest, second!) : highest;
  const wanted = fround(Math.round(chosen * SEASON * 1e4) / 1e4);
  const rates = Array.from({ length: LARGEST_DIVISOR }, (_, i) => fround(1 / (i + 1)));
  const distance = (rate: number): number => fround(Math.abs(fround(wanted - rate)));
  return rates.reduce((best, rate) => (distance(rate) < distance(best) ? rate : best));
};

/** Numbers from 0 to `last` in equal steps, as torch.linspace rounds them. */
const evenly = (last: number, count: number): Float32Array => {
  const step = fround(last / (count - 1));
  return Float32Array.from({ length: count }, (_, i) =>
    i < count / 2 ? i * step : last - (count - 1 - i) * step,
  );
};

/** Running sums, with a zero before the first. */
const runningSums = (values: Float32Array): Float32Array => {
  const sums = new Float32Array(values.length + 1);
  let sum = 0;
  values.forEach((value, i) => {
    sum += value;
    sums[i + 1] = sum;
  });
  return sums;
};

/** Means of what is there around each point of a sparser axis, NaN where nothing is. rate < 1 */
const averaged = (row: Float32Array, rate: number): Float32Array => {
  const last = row.length - 1;
  const half = fround(0.5 / rate);
  const sums = runningSums(row.map((value) => (Number.isNaN(value) ? 0 : value)));
  const counts = runningSums(row.map((value) => (Number.isNaN(value) ? 0 : 1)));
  const within = (i: number): number => Math.min(Math.max(i, 0), last);
  return evenly(last, Math.ceil(row.length * rate)).map((center) => {
    const from = within(Math.ceil(fround(center - half)));
    const to = Math.max(from, within(Math.floor(fround(center + half)))) + 1;
    const count = counts[to]! - counts[from]!;
    return count > 0 ? fround(sums[to]! - sums[from]!) / count : Number.NaN;
  });
};

/** Straight lines between the points, on a denser axis. rate > 1 */
const drawnOut = (row: Float32Array, rate: number): Float32Array =>
  evenly(row.length - 1, Math.ceil(row.length * rate)).map((place) => {
    const [low, high] = [row[Math.floor(place)]!, row[Math.ceil(place)]!];
    return fround(fround(high - low) * fround(place - Math.floor(place))) + low;
  });

/** A row at `rate` points for each of its own. */
export const resampled = (row: Float32Array, rate: number): Float32Array => {
  if (rate === 1) return row;
  return rate < 1 ? averaged(row, rate) : drawnOut(row, rate);
};
