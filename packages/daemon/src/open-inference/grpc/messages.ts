/** The messages as the proto loader gives them: names as published, 64-bit integers as text, choices by their field. */

export interface Parameter {
  readonly parameter_choice?: string;
  readonly bool_param?: boolean;
  readonly int64_param?: string;
  readonly string_param?: string;
  readonly double_param?: number;
  readonly uint64_param?: string;
}

export type Parameters = Readonly<Record<string, Parameter>>;

export interface Contents {
  readonly bool_contents?: readonly boolean[];
  readonly int_contents?: readonly number[];
  readonly int64_contents?: readonly string[];
  readonly uint_contents?: readonly number[];
  readonly uint64_contents?: readonly string[];
  readonly fp32_contents?: readonly number[];
  readonly fp64_contents?: readonly number[];
  readonly bytes_contents?: readonly Uint8Array[];
}

export interface TensorMessage {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly (string | number)[];
  readonly parameters?: Parameters;
  readonly contents?: Contents | null;
}

export interface ModelInferRequest {
  readonly model_name: string;
  readonly model_version: string;
  readonly id: string;
  readonly parameters: Parameters;
  readonly inputs: readonly TensorMessage[];
  readonly outputs: readonly { readonly name: string; readonly parameters: Parameters }[];
  readonly raw_input_contents: readonly Uint8Array[];
}

export interface ModelInferResponse {
  readonly model_name: string;
  readonly model_version: string;
  readonly id: string;
  readonly outputs: readonly TensorMessage[];
  readonly raw_output_contents: readonly Uint8Array[];
}

/** A parameter's value as JSON has it; undefined where none was chosen. */
export const chosenValue = (parameter: Parameter): boolean | number | string | undefined => {
  switch (parameter.parameter_choice) {
    case 'bool_param':
      return parameter.bool_param;
    case 'int64_param':
      return Number(parameter.int64_param);
    case 'uint64_param':
      return Number(parameter.uint64_param);
    case 'double_param':
      return parameter.double_param;
    default:
      return parameter.string_param;
  }
};

export const valuesOf = (parameters: Parameters): Record<string, boolean | number | string> =>
  Object.fromEntries(
    Object.entries(parameters).flatMap(([name, parameter]) => {
      const value = chosenValue(parameter);
      return value === undefined ? [] : [[name, value]];
    }),
  );

/** @example toParameter('mean') // { string_param: 'mean' } */
export const toParameter = (value: unknown): Parameter => {
  if (typeof value === 'boolean') return { bool_param: value };
  if (typeof value !== 'number') return { string_param: String(value) };
  return Number.isSafeInteger(value) ? { int64_param: String(value) } : { double_param: value };
};
