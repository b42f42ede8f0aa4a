/** What an exported model is, as JSON: `model.json` for people and programs, `example.json` to try it by. */
import { VERSION } from '@tollama/core/version';
import { DTYPES, shapeTexts, type TensorValue } from '@tollama/graph';
import type { ExportedGraph, ExportedModel } from './export-model.ts';
import { feedingOf } from './feeding.ts';

export interface DescribedTensor {
  readonly name: string;
  readonly dtype: string;
  /** Numbers, or the names and formulas of free sizes. */
  readonly shape: readonly (number | string)[];
}

const describedTensors = (values: ExportedGraph['model']['inputs']): readonly DescribedTensor[] =>
  values.map(({ name, dtype, shape }) => ({ name, dtype, shape: shapeTexts(shape) }));

const ROLL_OUT =
  'A forecast runs these graphs more than once, or hands state (inputs of length 0 at the first run) from run to ' +
  'run; that loop is not in the files. `tollama serve` runs it, also behind the Open Inference Protocol.';

const PREPARED =
  'The family prepares its inputs from series (patches, scales, ids); example.json holds what it made of a real one.';

/** `model.json`: everything that a client needs to know about the files beside it. */
export const describeExport = (name: string, exported: ExportedModel, precision: string) => {
  const { family, capabilities, isOnePass, graphs, example } = exported;
  const [first] = graphs;
  const feeding = isOnePass && graphs.length === 1 && first ? feedingOf(family, first) : undefined;
  return {
    name,
    family,
    precision,
    made_by: `tollama ${VERSION}`,
    opsets: first?.model.opsets ?? {},
    context_length: capabilities.contextLength,
    native_horizon: capabilities.nativeHorizon,
    quantile_levels: capabilities.quantiles,
    one_pass: isOnePass,
    ...(!isOnePass && { roll_out: ROLL_OUT }),
    ...(feeding ? { feeding } : { prepared: PREPARED }),
    graphs: graphs.map((graph) => ({
      name: graph.name,
      file: graph.model.files[0]!,
      files: graph.model.files,
      weight_bytes: graph.model.weightBytes,
      inputs: describedTensors(graph.model.inputs),
      outputs: describedTensors(graph.model.outputs),
      has_example: graph.example !== undefined,
    })),
    ...(example && {
      example: {
        file: 'example.json',
        series: example.task.series.length,
        context: example.task.series[0]!.targets[0]!.length,
        horizon: example.task.horizon,
        runs: example.runCount,
      },
    }),
  };
};

/** Exact values: little-endian bytes in base64. */
const encodedTensor = ({ dtype, dims, data }: TensorValue) => ({
  dtype,
  dims,
  base64: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
});

const encodedTensors = (values: Readonly<Record<string, TensorValue>>) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, encodedTensor(value)]));

/** `example.json`: series, their forecast by tollama, and what the graphs were fed and answered for it. */
export const describeExample = ({ example, graphs }: ExportedModel) =>
  example && {
    series: example.task.series.map(({ targets }) => Array.from(targets[0]!)),
    horizon: example.task.horizon,
    quantile_levels: example.task.quantiles,
    forecasts: example.forecasts.map(({ targets }) => ({
      mean: Array.from(targets[0]!.mean),
      quantiles: targets[0]!.quantiles.map((values) => Array.from(values)),
    })),
    element_sizes: Object.fromEntries(
      Object.entries(DTYPES).map(([dtype, { sizeBytes }]) => [dtype, sizeBytes]),
    ),
    runs: Object.fromEntries(
      graphs.flatMap(({ name, example: run }) =>
        run
          ? [[name, { inputs: encodedTensors(run.feeds), outputs: encodedTensors(run.outputs) }]]
          : [],
      ),
    ),
  };
