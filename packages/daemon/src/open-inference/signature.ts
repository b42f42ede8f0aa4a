/** The tensors that a forecasting model takes and gives. */
import { readsCovariates, readsNeighbours } from '../columnar/model-calls.ts';
import type { ModelProfile } from '../forecast/model-profile.ts';
import type { Datatype } from './tensor.ts';

export interface TensorSignature {
  readonly name: string;
  readonly datatype: Datatype;
  /** -1 where any length will do. */
  readonly shape: readonly number[];
}

export interface InputSignature extends TensorSignature {
  readonly isRequired: boolean;
}

export interface Signature {
  readonly inputs: readonly InputSignature[];
  readonly outputs: readonly TensorSignature[];
}

const input = (
  name: string,
  datatype: Datatype,
  shape: readonly number[],
  isRequired = false,
): InputSignature => ({ name, datatype, shape, isRequired });

const ANY_2D = [-1, -1];
const ANY_3D = [-1, -1, -1];

/** The order of the outputs is the order of every answer. */
const OUTPUTS: readonly TensorSignature[] = [
  { name: 'mean', datatype: 'FP32', shape: ANY_2D },
  { name: 'quantiles', datatype: 'FP32', shape: ANY_3D },
  { name: 'quantile_levels', datatype: 'FP32', shape: [-1] },
];

export const signatureOf = (profile: ModelProfile): Signature => {
  const { covariates } = profile.capabilities;
  const takes = readsCovariates(profile);
  const takesPast = takes && covariates.past_covariates_numeric;
  const takesFuture = takes && covariates.future_covariates_numeric;
  return {
    inputs: [
      input('context', 'FP32', ANY_2D, true),
      input('mask', 'BOOL', ANY_2D),
      input('horizon', 'INT32', [1]),
      input('quantile_levels', 'FP32', [-1]),
      ...(readsNeighbours(profile) ? [input('group_ids', 'INT64', [-1])] : []),
      ...(takesPast || takesFuture ? [input('past_covariates', 'FP32', ANY_3D)] : []),
      ...(takesFuture ? [input('future_covariates', 'FP32', ANY_3D)] : []),
    ],
    outputs: OUTPUTS,
  };
};

/** A directory of a model never changes under its version. */
export const VERSION_NUMBER = '1';

const tensor = ({ name, datatype, shape }: TensorSignature) => ({ name, datatype, shape });

export const PLATFORM = 'tollama_onnx';

export const metadataOf = (profile: ModelProfile) => {
  const { inputs, outputs } = signatureOf(profile);
  const { contextLength, maxHorizon } = profile.capabilities;
  return {
    name: profile.name,
    versions: [VERSION_NUMBER],
    platform: PLATFORM,
    inputs: inputs.map(tensor),
    outputs: outputs.map(tensor),
    parameters: {
      freq_free: true,
      ...(contextLength !== null && { max_context: contextLength }),
      ...(maxHorizon !== null && { max_horizon: maxHorizon }),
    },
  };
};

/** The configuration extension's form of the same. The first axis is ours, hence no batch dimension. */
export const configOf = (profile: ModelProfile) => {
  const { inputs, outputs } = signatureOf(profile);
  const described = ({ name, datatype, shape }: TensorSignature) => ({
    name,
    data_type: `TYPE_${datatype}`,
    dims: shape,
  });
  return {
    name: profile.name,
    platform: PLATFORM,
    backend: 'tollama',
    version_policy: { latest: { num_versions: 1 } },
    max_batch_size: 0,
    input: inputs.map((one) => ({ ...described(one), optional: !one.isRequired })),
    output: outputs.map(described),
    instance_group: [{ name: profile.name, kind: 'KIND_CPU', count: 1 }],
    parameters: { family: { string_value: profile.architecture } },
  };
};
