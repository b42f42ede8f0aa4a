/** From the tensors of a request to those of its answer. */
import { forecastWithIntervals } from '../columnar/intervals.ts';
import type { CallRows, CallSeries, ModelCalls } from '../columnar/model-calls.ts';
import type { ModelProfile } from '../forecast/model-profile.ts';
import { refuse, type Tensor } from './tensor.ts';
import type { OutputTensor } from './wire.ts';

type Inputs = ReadonlyMap<string, Tensor>;

const MOST_STEPS = 4096;
/** Steps of a model that has no length of its own. */
const DEFAULT_STEPS = 64;
const DECILES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/** Models that give any level by themselves, though they were trained for none. */
const givesAnyLevel = ({ architecture, capabilities }: ModelProfile): boolean =>
  capabilities.samples || architecture === 'statistical' || architecture === 'mock';

const defaultLevels = (profile: ModelProfile): readonly number[] => {
  const { quantiles } = profile.capabilities;
  if (quantiles.length > 0) return quantiles;
  return givesAnyLevel(profile) ? DECILES : [];
};

const horizonOf = (inputs: Inputs, { capabilities }: ModelProfile): number => {
  const given = inputs.get('horizon');
  if (!given) return capabilities.nativeHorizon ?? capabilities.maxHorizon ?? DEFAULT_STEPS;
  const horizon = Number(given.data[0]);
  if (horizon >= 1 && horizon <= MOST_STEPS) return horizon;
  return refuse(`horizon is ${horizon}, expected 1 to ${MOST_STEPS}`);
};

/** Levels as they were meant: the nearest short decimal of a float32. */
const levelsOf = (inputs: Inputs, profile: ModelProfile): readonly number[] => {
  const given = inputs.get('quantile_levels');
  if (!given) return defaultLevels(profile);
  return Array.from(given.data as Float32Array, (value) => {
    const level = Number(value.toPrecision(6));
    if (!(level > 0 && level < 1))
      refuse(`quantile_levels holds ${value}, expected values in (0, 1)`);
    return level;
  });
};

/** [S][T] of the context, NaN where masked or not finite, cut to where each series starts. */
const historiesOf = (inputs: Inputs): { target: Float64Array; from: number }[] => {
  const context = inputs.get('context')!;
  const [count = 0, length = 0] = context.shape;
  if (count === 0 || length === 0)
    refuse(`context has shape [${context.shape}]: there is no value`);
  const mask = inputs.get('mask');
  if (mask?.shape.some((n, i) => n !== context.shape[i])) {
    refuse(`mask has shape [${mask.shape}], context has [${context.shape}]`);
  }
  const values = context.data as Float32Array;
  return Array.from({ length: count }, (_, row) => {
    const target = new Float64Array(length);
    let from = length;
    for (let i = 0; i < length; i++) {
      const at = row * length + i;
      const isObserved = Number.isFinite(values[at]!) && (!mask || mask.data[at] === 1);
      target[i] = isObserved ? values[at]! : Number.NaN;
      if (isObserved && from === length) from = i;
    }
    if (from === length) refuse(`row ${row} of context has no observed value`);
    return { target: target.subarray(from), from };
  });
};

/** A channel's numbers with the last one before a gap standing in it. */
const channel = (data: Float32Array, start: number, end: number): number[] => {
  const part = Array.from(data.subarray(start, end));
  let last = part.find(Number.isFinite) ?? 0;
  return part.map((value) => {
    if (Number.isFinite(value)) last = value;
    return last;
  });
};

const checkCovariates = (tensor: Tensor, [series, length]: readonly [number, number]): number => {
  const [rows, channels = 0, steps] = tensor.shape;
  if (rows !== series || steps !== length) {
    refuse(`${tensor.name} has shape [${tensor.shape}], expected [${series}, channels, ${length}]`);
  }
  return channels;
};

/** The first channels of the past are those of the future. */
const covariatesOf = (
  inputs: Inputs,
  row: number,
  from: number,
  horizon: number,
): Pick<CallSeries, 'past' | 'future'> => {
  const [series = 0, length = 0] = inputs.get('context')!.shape;
  const past = inputs.get('past_covariates');
  const future = inputs.get('future_covariates');
  if (!past) {
    return future ? refuse('future_covariates need past_covariates of the same channels') : {};
  }
  const channels = checkCovariates(past, [series, length]);
  const ahead = future ? checkCovariates(future, [series, horizon]) : 0;
  if (ahead > channels) {
    refuse(`future_covariates has ${ahead} channels, past_covariates has ${channels}`);
  }
  const named = (tensor: Tensor, count: number, steps: number, skipped: number) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, c) => {
        const start = (row * tensor.shape[1]! + c) * steps;
        return [`x${c}`, channel(tensor.data as Float32Array, start + skipped, start + steps)];
      }),
    );
  return {
    ...(channels > 0 && { past: named(past, channels, length, from) }),
    ...(ahead > 0 && { future: named(future!, ahead, horizon, 0) }),
  };
};

/** Rows that look at each other, by the rows of one group; without ids each is alone. */
const groupsOf = (inputs: Inputs, count: number): number[][] => {
  const ids = inputs.get('group_ids');
  if (!ids) return [];
  if (ids.shape[0] !== count) refuse(`group_ids has ${ids.shape[0]} values for ${count} series`);
  const byId = Map.groupBy(
    Array.from({ length: count }, (_, i) => i),
    (i) => ids.data[i]!,
  );
  return [...byId.values()].filter((rows) => rows.length > 1);
};

type Rows = CallRows & { readonly quantiles: readonly (readonly number[])[] };

const run = async (
  calls: ModelCalls,
  series: readonly CallSeries[],
  horizon: number,
  { levels, groups }: { readonly levels: readonly number[]; readonly groups: readonly number[][] },
): Promise<Rows[]> => {
  const grouped = new Set(groups.flat());
  const alone = [...series.keys()].filter((row) => !grouped.has(row));
  const rows = new Array<Rows>(series.length);
  for (const [places, isTogether] of [
    [alone, false] as const,
    ...groups.map((group) => [group, true] as const),
  ]) {
    if (places.length === 0) continue;
    const own = places.map((row) => series[row]!);
    const made = await forecastWithIntervals(calls, own, horizon, { levels, isTogether });
    places.forEach((row, i) => {
      rows[row] = made[i]!;
    });
  }
  return rows;
};

/** Whether the point is the middle quantile, as far as the answer shows it. */
const pointKind = (rows: readonly Rows[], levels: readonly number[]): 'mean' | 'median' => {
  const middle = levels.indexOf(0.5);
  const isMiddle = ({ mean, quantiles }: Rows): boolean =>
    mean.every((value, step) => value === quantiles[middle]?.[step]);
  return middle >= 0 && rows.every(isMiddle) ? 'median' : 'mean';
};

/** [S, horizon, levels] with the asked levels in their order. */
const quantileData = (
  rows: readonly Rows[],
  horizon: number,
  places: readonly number[],
): Float32Array => {
  const data = new Float32Array(rows.length * horizon * places.length);
  let at = 0;
  for (const { quantiles } of rows) {
    for (let step = 0; step < horizon; step++) {
      for (const place of places) data[at++] = quantiles[place]![step]!;
    }
  }
  return data;
};

/**
 * Forecasts of the rows of `context`.
 *
 * @throws TollamaError INVALID_REQUEST naming the tensor that does not fit; what a forecast throws
 */
export const infer = async (inputs: Inputs, calls: ModelCalls): Promise<OutputTensor[]> => {
  const { profile } = calls;
  const horizon = horizonOf(inputs, profile);
  const asked = levelsOf(inputs, profile);
  const levels = [...new Set(asked)].toSorted((a, b) => a - b);
  const histories = historiesOf(inputs);
  const series = histories.map(({ target, from }, row) => ({
    target: target.length > calls.context ? target.subarray(-calls.context) : target,
    ...covariatesOf(inputs, row, from + Math.max(0, target.length - calls.context), horizon),
  }));
  const groups = groupsOf(inputs, series.length);
  const rows = await run(calls, series, horizon, { levels, groups });
  const mean = new Float32Array(rows.length * horizon);
  rows.forEach((row, i) => {
    mean.set(row.mean.slice(0, horizon), i * horizon);
  });
  const places = asked.map((level) => levels.indexOf(level));
  const kind = pointKind(rows, levels);
  return [
    {
      name: 'mean',
      datatype: 'FP32',
      shape: [rows.length, horizon],
      data: mean,
      parameters: { kind },
    },
    {
      name: 'quantiles',
      datatype: 'FP32',
      shape: [rows.length, horizon, asked.length],
      data: quantileData(rows, horizon, places),
    },
    {
      name: 'quantile_levels',
      datatype: 'FP32',
      shape: [asked.length],
      data: Float32Array.from(asked),
    },
  ];
};
