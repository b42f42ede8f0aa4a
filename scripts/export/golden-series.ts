/** Golden cases that an exported graph can answer alone: plain series, one pass, levels of the model. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExpectedQuantiles } from './worst-error.ts';

export interface GoldenSeries {
  readonly name: string;
  /** [series][points], null where missing. */
  readonly contexts: readonly (readonly (number | null)[])[];
  readonly horizon: number;
  readonly expected: ExpectedQuantiles;
}

interface Case {
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly expected: Readonly<Record<string, unknown>>;
}

type Rows = readonly (readonly number[])[];

/** [points][numbers] -> [numbers][points] */
const transposed = (rows: Rows): number[][] =>
  (rows[0] ?? []).map((_, column) => rows.map((row) => row[column]!));

interface Limits {
  /** Steps of one pass. */
  readonly steps: number;
  /** Levels of the model: others are interpolated by the product. */
  readonly levels?: readonly number[];
  /** Points below which the reference takes padding for values. */
  readonly context?: number;
}

type Reader = (one: Case, limits: Limits) => GoldenSeries | undefined;

/** quantiles [series][step][level] of `contexts`. */
const chronosBolt: Reader = ({ name, input, expected }, { steps, levels }) => {
  const horizon = input.prediction_length as number;
  const asked = input.quantile_levels as number[];
  if (asked?.some((level) => !levels?.includes(level))) return undefined;
  if (horizon > steps || !Array.isArray(input.contexts)) return undefined;
  return {
    name,
    contexts: input.contexts as GoldenSeries['contexts'],
    horizon,
    expected: {
      levels: asked,
      values: (expected.quantiles as Rows[]).map(transposed),
    },
  };
};

const CHRONOS_2_PLAIN = ['inputs', 'prediction_length', 'quantile_levels'];

/** quantiles [series][variate][step][level]; only univariate series of numbers without options. */
const chronos2: Reader = ({ name, input, expected }, { steps }) => {
  const inputs = input.inputs as unknown[];
  const isPlain =
    Object.keys(input).every((key) => CHRONOS_2_PLAIN.includes(key)) &&
    Array.isArray(inputs) &&
    inputs.every((row) => Array.isArray(row) && !Array.isArray(row[0])) &&
    Array.isArray(expected.quantiles);
  const horizon = input.prediction_length as number;
  if (!isPlain || horizon > steps) return undefined;
  return {
    name,
    contexts: inputs as GoldenSeries['contexts'],
    horizon,
    expected: {
      levels: input.quantile_levels as number[],
      values: (expected.quantiles as Rows[][]).map(([one]) => transposed(one!)),
    },
  };
};

/** prediction_outputs [series][step][channel] of past_values [series][point][channel]; one channel, no mask. */
const graniteTtm: Reader = ({ name, input, expected }, { steps, context = 0 }) => {
  const past = input.past_values as (readonly (number | null)[])[][] | undefined;
  const isPlain =
    Object.keys(input).every((key) => key === 'op' || key === 'past_values') &&
    input.op === 'forward' &&
    past?.every(
      (points) => points.length >= context && points.every((point) => point.length === 1),
    );
  const outputs = expected.prediction_outputs as Rows[];
  if (!isPlain || outputs[0]!.length > steps) return undefined;
  return {
    name,
    contexts: past!.map((points) => points.map(([value]) => value!)),
    horizon: outputs[0]!.length,
    expected: { levels: [], values: outputs.map((rows) => transposed(rows)) },
  };
};

/** Keys of config.json that tell how long one pass is. */
interface Config {
  readonly chronos_config: {
    readonly prediction_length: number;
    readonly quantiles: readonly number[];
    readonly max_output_patches: number;
    readonly output_patch_size: number;
  };
  readonly prediction_length: number;
  readonly context_length: number;
}

const READERS: Readonly<Record<string, (config: Config) => [Reader, Limits]>> = {
  'chronos-bolt': (config) => [
    chronosBolt,
    {
      steps: config.chronos_config.prediction_length,
      levels: config.chronos_config.quantiles,
    },
  ],
  'chronos-2': (config) => {
    const { max_output_patches: patches, output_patch_size: size } = config.chronos_config;
    return [chronos2, { steps: patches * size }];
  },
  'granite-ttm': (config) => [
    graniteTtm,
    { steps: config.prediction_length, context: config.context_length },
  ],
};

const readJson = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, 'utf8'));

/** The cases of a golden set that fit; none for families without plain series. */
export const goldenCases = async (folder: string): Promise<readonly GoldenSeries[]> => {
  const family = folder.split(/[/\\]/).at(-2)!;
  const read = READERS[family];
  if (!read) return [];
  const config = (await readJson(join(folder, 'config.json'))) as Config;
  const cases = (await readJson(join(folder, 'cases.json'))) as readonly Case[];
  const [reader, limits] = read(config);
  return cases.flatMap((one) => reader(one, limits) ?? []);
};
