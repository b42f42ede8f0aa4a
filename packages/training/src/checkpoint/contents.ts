/** What a checkpoint holds, as plain data that goes to a worker and back. */

/** One tensor in float32. */
export interface StoredValues {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

export type CheckpointFile =
  | {
      readonly kind: 'tensors';
      readonly name: string;
      readonly tensors: readonly StoredValues[];
      /** Texts of the file's header. */
      readonly metadata?: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'text'; readonly name: string; readonly text: string };

export interface CheckpointContents {
  readonly step: number;
  readonly files: readonly CheckpointFile[];
}

/** A checkpoint as it was read: every file whole and as its manifest says. */
export interface ReadContents extends CheckpointContents {
  /** Its folder. */
  readonly path: string;
}

export const PARAMETERS_FILE = 'model.safetensors';
export const OPTIMIZER_FILE = 'optimizer.safetensors';
export const AVERAGE_FILE = 'ema.safetensors';
export const TRAINER_FILE = 'trainer.json';
export const MANIFEST_FILE = 'manifest.json';

/** Every tensor's buffer, to hand them over to a worker instead of copying them. */
export const buffersOf = ({ files }: CheckpointContents): ArrayBuffer[] =>
  files.flatMap((file) =>
    file.kind === 'tensors' ? [...new Set(file.tensors.map(({ data }) => data.buffer))] : [],
  );

export const tensorsOf = (contents: CheckpointContents, name: string): readonly StoredValues[] => {
  const file = contents.files.find((one) => one.name === name);
  return file?.kind === 'tensors' ? file.tensors : [];
};

export const textOf = (contents: CheckpointContents, name: string): string | undefined => {
  const file = contents.files.find((one) => one.name === name);
  return file?.kind === 'text' ? file.text : undefined;
};
