import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openModel } from '@tollama/models';
import { limitsOf, scaleCausally } from '@tollama/models/families/flowstate/forecast';
import { type Comparison, compare } from '../compare.ts';
import type { GoldenKind } from '../kinds.ts';

type Row = readonly (number | null)[];

interface Case {
  readonly name: string;
  readonly input: {
    readonly op: 'forward';
    readonly past_values: readonly Row[];
    readonly prediction_length: number;
    readonly scale_factor?: number;
    readonly prediction_type?: string;
    readonly pad_mask?: readonly number[][];
  };
  readonly expected: {
    readonly quantile_outputs: readonly number[][][];
    readonly prediction_outputs: readonly number[][];
    /** Of the first row, but for the scaling, which is the last one's. */
    readonly intermediate?: Readonly<Record<string, unknown>>;
  };
  readonly rtol: number;
  readonly atol: number;
  readonly atol_rows?: readonly number[];
}

interface Value {
  readonly dims: readonly number[];
  readonly data: ArrayLike<number>;
}

const INNER_TOLERANCE = { rtol: 3e-4, atol: 1e-4 };
const rowOf = (values: Row): Float32Array =>
  Float32Array.from(values, (value) => value ?? Number.NaN);

/** Rows [from, to) of the first axis. */
const rows = ({ dims, data }: Value, from: number, to: number): number[] => {
  const size = data.length / dims[0]!;
  return Array.from(data).slice(from * size, to * size);
};

/** The last column of a matrix [n, points]. */
const lastColumn = ({ dims, data }: Value): number[] =>
  Array.from(data).filter((_, i) => i % dims[1]! === dims[1]! - 1);

/** The reference's kernel runs from the highest power down to 0. */
const firstThreeBackwards = (kernel: Value): number[] =>
  [2, 1, 0].flatMap((k) => rows(kernel, k, k + 1));

/** How the files' names for inner points of a pass over `length` steps come from the probes. */
const INNER: Readonly<Record<string, (of: (probe: string) => Value, length: number) => unknown>> = {
  normalised_input_and_mask: (of, n) => rows(of('normalised_input_and_mask'), 0, n),
  embedded_last4: (of, n) => rows(of('embedded'), n - 4, n),
  layer0_kernel_tail_re: (of) => firstThreeBackwards(of('layer0_kernel_re')),
  layer0_kernel_tail_im: (of) => firstThreeBackwards(of('layer0_kernel_im')),
  layer0_B_bar_row0_re: (of) => rows(of('layer0_B_bar_re'), 0, 1),
  layer0_B_bar_row0_im: (of) => rows(of('layer0_B_bar_im'), 0, 1),
  layer0_ssm_out_last4: (of, n) => rows(of('layer0_ssm_out'), n - 4, n),
  layer0_out_last4: (of, n) => rows(of('layer0_out'), n - 4, n),
  encoder_out_last4: (of) => {
    const encoded = of('encoder_out');
    return rows(encoded, Math.max(0, encoded.dims[0]! - 4), encoded.dims[0]!);
  },
  basis_last_point: (of) => lastColumn(of('basis_functions')),
  decoder_coefficients_last: (of) => rows(of('decoder_coefficients'), -1, Number.POSITIVE_INFINITY),
  decoder_raw_last: (of) => rows(of('decoder_raw'), -1, Number.POSITIVE_INFINITY),
};

/** One pass of the first row, with every inner point that the case gives. */
const inspect = async (folder: string, { input, expected }: Case): Promise<Comparison[]> => {
  await using model = await openModel(folder, { threads: 1, inspect: true });
  const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));
  const row = rowOf(input.past_values[0]!);
  await model.forecast(taskOf({ ...input, past_values: [input.past_values[0]!] }, config));
  const { patch } = limitsOf(config, scaleOf(input, config));
  const missing = Math.max(0, input.prediction_length - patch);
  const { mean, deviation } = scaleCausally(rowOf(input.past_values.at(-1)!), missing);
  const of = (probe: string): Value => model.inspected.get(probe) as unknown as Value;
  return Object.entries(expected.intermediate!).map(([name, want]) => {
    if (name === 'revin_mean_last') return compare(name, [mean], want, INNER_TOLERANCE);
    if (name === 'revin_std_last') return compare(name, [deviation], want, INNER_TOLERANCE);
    const got = INNER[name]?.(of, row.length + missing);
    return compare(name, got ?? [], want, INNER_TOLERANCE);
  });
};

const scaleOf = (
  input: { readonly scale_factor?: number },
  config: { readonly scale_factor?: number },
): number => input.scale_factor ?? config.scale_factor ?? 1;

/** -1 asks for one patch. */
const taskOf = (
  { op: _, past_values, prediction_length, ...options }: Case['input'],
  config: Parameters<typeof limitsOf>[0] & { readonly quantiles: readonly number[] },
) => ({
  series: past_values.map((values, i) => ({ id: String(i), targets: [rowOf(values)] })),
  horizon:
    prediction_length > 0 ? prediction_length : limitsOf(config, scaleOf(options, config)).patch,
  quantiles: config.quantiles,
  options,
});

/** Quantiles and points of a batch; inner points of the cases that give them. */
export const flowstate: GoldenKind = async (folder) => {
  const model = await openModel(folder, { threads: 1 });
  const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));
  const cases = JSON.parse(await readFile(join(folder, 'cases.json'), 'utf8')) as readonly Case[];
  const run = async (one: Case): Promise<Comparison[]> => {
    const { input, expected, rtol, atol, atol_rows } = one;
    const { forecasts } = await model.forecast(taskOf(input, config));
    const outer = forecasts.flatMap(({ targets: [forecast] }, i) => {
      const tolerance = { rtol, atol: atol_rows?.[i] ?? atol };
      const { quantile_outputs, prediction_outputs } = expected;
      return [
        compare(`row ${i} quantiles`, forecast!.quantiles, quantile_outputs[i], tolerance),
        compare(`row ${i} points`, forecast!.mean, prediction_outputs[i], tolerance),
      ];
    });
    return expected.intermediate ? [...outer, ...(await inspect(folder, one))] : outer;
  };
  return {
    cases: cases.map((one) => ({ name: one.name, run: () => run(one) })),
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  };
};
