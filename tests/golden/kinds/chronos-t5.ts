import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Task } from '@tollama/models';
import { type OpenModel, openModel } from '@tollama/models';
import { ChronosT5Config } from '@tollama/models/families/chronos-t5/config';
import {
  decodingOf,
  generateFeeds,
  samplePaths,
  tokenFeeds,
} from '@tollama/models/families/chronos-t5/predict';
import { binsOf, tokenize, valueOfToken } from '@tollama/models/families/chronos-t5/tokenizer';
import { type Comparison, compare } from '../compare.ts';
import type { GoldenKind } from '../kinds.ts';

type Values = readonly (number | null)[];

interface SampleInput {
  readonly contexts: readonly Values[];
  readonly prediction_length: number;
  readonly num_samples: number;
  readonly quantile_levels: readonly number[];
}

interface Input extends SampleInput {
  readonly decoder_input_ids: readonly (readonly number[])[];
  readonly tokens: readonly (readonly (readonly number[])[])[];
  readonly scale: readonly number[];
}

interface Case {
  readonly name: string;
  readonly call: 'tokenize' | 'bins' | 'values' | 'forward' | 'greedy' | 'sample';
  readonly input: Input;
  readonly expected: Readonly<Record<string, unknown>>;
  readonly rtol: number;
  readonly atol: number;
  readonly atol_per_series?: readonly number[];
}

interface Opened {
  readonly folder: string;
  readonly model: OpenModel;
  readonly config: ChronosT5Config;
}

const INNER_TOLERANCE = { rtol: 1e-4, atol: 1e-4 };
const EXACT = { rtol: 0, atol: 0 };

const floats = (values: Values): Float32Array =>
  Float32Array.from(values, (value) => value ?? Number.NaN);

const tokenRows = ({ contexts }: Input, { chronos_config: c }: ChronosT5Config) =>
  contexts.map((context) => tokenize(floats(context), binsOf(c), c));

/** The reference pads the batch on the left before it tokenizes. */
const compareTokens = ({ input, expected, rtol, atol }: Case, config: ChronosT5Config) => {
  const rows = tokenRows(input, config);
  const { token_ids, attention_mask } = tokenFeeds(rows, config);
  const scales = rows.map(({ scale }) => scale);
  return [
    compare('token_ids', Array.from(token_ids.data, Number), expected.token_ids, EXACT),
    compare('attention_mask', attention_mask.data, expected.attention_mask, EXACT),
    compare('scale', scales, expected.scale, { rtol, atol }),
  ];
};

const compareBins = ({ expected, rtol, atol }: Case, config: ChronosT5Config): Comparison[] => {
  const { centers, borders } = binsOf(config.chronos_config);
  return [
    compare('centers', centers, expected.centers, { rtol, atol }),
    compare('boundaries', borders, expected.boundaries, { rtol, atol }),
  ];
};

const compareValues = ({ input, expected, rtol, atol }: Case, config: ChronosT5Config) => {
  const c = config.chronos_config;
  const values = input.tokens.map((paths, b) =>
    paths.map((path) => path.map((id) => valueOfToken(id, input.scale[b]!, binsOf(c), c))),
  );
  return [compare('values', values, expected.values, { rtol, atol })];
};

/** Teacher forcing, with the inner points of the cases that give them. */
const forward = async (one: Case, { folder, config }: Opened): Promise<Comparison[]> => {
  const { input, expected, rtol, atol } = one;
  await using model = await openModel(folder, { threads: 1, inspect: true });
  const ids = input.decoder_input_ids;
  const results = await model.run('forward', {
    ...tokenFeeds(tokenRows(input, config), config),
    decoder_input_ids: {
      dtype: 'int64',
      dims: [ids.length, ids[0]!.length],
      data: BigInt64Array.from(ids.flat(), BigInt),
    },
  });
  const { intermediates = {}, logits, encoder_last_hidden_state: states } = expected;
  return [
    ...compareTokens(one, config),
    compare('logits', results.logits!.data, logits, { rtol, atol }),
    ...(states
      ? [compare('states', results.encoder_last_hidden_state!.data, states, { rtol, atol })]
      : []),
    ...Object.entries(intermediates as Readonly<Record<string, unknown>>).map(([name, want]) =>
      compare(name, results[name]?.data ?? [], want, INNER_TOLERANCE),
    ),
  ];
};

const taskOf = (input: Input, more: Readonly<Record<string, unknown>> = {}): Task => {
  const { contexts, prediction_length, quantile_levels = [], ...options } = input;
  const series = contexts.map((context, i) => ({ id: String(i), targets: [floats(context)] }));
  return {
    series,
    horizon: prediction_length,
    quantiles: quantile_levels,
    options: { ...options, ...more },
  };
};

const pathsOf = async (task: Task, { model, config }: Opened) => {
  const series = task.series.map(({ targets }) => targets[0]!);
  return samplePaths(model.run, config, series, task.horizon, decodingOf(task, config));
};

const greedy = async ({ input, expected, rtol, atol }: Case, opened: Opened) => {
  const paths = await pathsOf(taskOf(input, { do_sample: false }), opened);
  return [
    compare(
      'tokens',
      paths.map(({ tokens }) => tokens),
      expected.tokens,
      EXACT,
    ),
    compare(
      'values',
      paths.map(({ values }) => values),
      expected.values,
      { rtol, atol },
    ),
  ];
};

/** The distribution that the first token of each series is drawn from. */
const firstDistribution = async (task: Task, { folder, config }: Opened) => {
  await using model = await openModel(folder, { threads: 1, inspect: true });
  const decoding = decodingOf(task, config);
  const rows = task.series.map(({ targets }) =>
    tokenize(targets[0]!, binsOf(config.chronos_config), config.chronos_config),
  );
  const block = { series: 0, sample: 0, samples: 1, step: 0, steps: 1 };
  const results = await model.run('generate', generateFeeds(rows, config, decoding, block));
  return results.last_distribution!.data;
};

const sample = async ({ input, expected, rtol, atol, atol_per_series }: Case, opened: Opened) => {
  const task = taskOf(input);
  const paths = await pathsOf(task, opened);
  const { forecasts } = await opened.model.forecast(task);
  const comparisons = [
    compare(
      'tokens',
      paths.map(({ tokens }) => tokens),
      expected.tokens,
      EXACT,
    ),
  ];
  if (expected.first_step_probs) {
    const got = await firstDistribution(task, opened);
    comparisons.push(
      compare('first_step_probs', got, expected.first_step_probs, { rtol, atol: 1e-6 }),
    );
  }
  const at = (name: string, i: number): unknown => (expected[name] as readonly unknown[])[i];
  forecasts.forEach(({ targets: [forecast] }, i) => {
    const tolerance = { rtol, atol: atol_per_series?.[i] ?? atol };
    const { samples, mean, quantiles } = forecast!;
    const byStep = Array.from(mean, (_, h) => quantiles.map((row) => row[h]));
    comparisons.push(
      compare(`series ${i} samples`, samples, at('samples', i), tolerance),
      compare(`series ${i} quantiles`, byStep, at('quantiles', i), tolerance),
      compare(`series ${i} mean`, mean, at('mean', i), tolerance),
    );
  });
  return comparisons;
};

const CALLS: Readonly<
  Record<Case['call'], (one: Case, opened: Opened) => Promise<Comparison[]> | Comparison[]>
> = {
  tokenize: (one, { config }) => compareTokens(one, config),
  bins: (one, { config }) => compareBins(one, config),
  values: (one, { config }) => compareValues(one, config),
  forward,
  greedy,
  sample,
};

export const chronosT5: GoldenKind = async (folder) => {
  const read = async (name: string): Promise<unknown> =>
    JSON.parse(await readFile(join(folder, name), 'utf8'));
  const config = ChronosT5Config.parse(await read('config.json'));
  const model = await openModel(folder, { threads: 1 });
  const cases = (await read('cases.json')) as readonly Case[];
  return {
    cases: cases.map((one) => ({
      name: one.name,
      run: async () => CALLS[one.call](one, { folder, model, config }),
    })),
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  };
};
