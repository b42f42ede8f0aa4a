/** The whole state of a training between two steps: tensors, and the record beside them. */
import type { TensorValue } from '@tollama/graph';
import {
  AVERAGE_FILE,
  type CheckpointContents,
  type CheckpointFile,
  OPTIMIZER_FILE,
  PARAMETERS_FILE,
  type StoredValues,
  TRAINER_FILE,
  tensorsOf,
  textOf,
} from '../checkpoint/contents.ts';
import type { TrainingRecord } from './training-record.ts';

export type Tensors = ReadonlyMap<string, TensorValue>;

export interface CapturedState {
  readonly parameters: Tensors;
  readonly moments: Tensors;
  /** Moving average of the parameters, where one is kept. */
  readonly average: Tensors | undefined;
  readonly record: TrainingRecord;
}

const stored = (tensors: Tensors): StoredValues[] =>
  [...tensors].map(([name, { dims, data }]) => ({
    name,
    shape: dims,
    // A copy of its own: the checkpoint thread takes the buffer over.
    data: Float32Array.from(data as Float32Array),
  }));

const restored = (tensors: readonly StoredValues[]): Tensors =>
  new Map(tensors.map(({ name, shape, data }) => [name, { dtype: 'float32', dims: shape, data }]));

/** @param extra further files, such as adapter_config.json */
export const toContents = (
  { parameters, moments, average, record }: CapturedState,
  extra: readonly CheckpointFile[] = [],
): CheckpointContents => ({
  step: record.step,
  files: [
    { kind: 'tensors', name: PARAMETERS_FILE, tensors: stored(parameters) },
    {
      kind: 'tensors',
      name: OPTIMIZER_FILE,
      tensors: stored(moments),
      metadata: { step: String(record.step) },
    },
    ...(average
      ? [{ kind: 'tensors', name: AVERAGE_FILE, tensors: stored(average) } as const]
      : []),
    { kind: 'text', name: TRAINER_FILE, text: `${JSON.stringify(record, null, 2)}\n` },
    ...extra,
  ],
});

/** @param parse reads trainer.json, and refuses what does not belong to the run */
export const fromContents = (
  contents: CheckpointContents,
  parse: (text: string | undefined) => TrainingRecord,
): CapturedState => {
  const average = tensorsOf(contents, AVERAGE_FILE);
  return {
    record: parse(textOf(contents, TRAINER_FILE)),
    parameters: restored(tensorsOf(contents, PARAMETERS_FILE)),
    moments: restored(tensorsOf(contents, OPTIMIZER_FILE)),
    average: average.length > 0 ? restored(average) : undefined,
  };
};
