/** Requests and answers as they are sent: JSON, then the bytes of binary tensors in the same order. */
import { errorMessage } from '@tollama/core/errors';
import { z } from 'zod';
import type { Signature } from './signature.ts';
import { fromBytes, fromJson, refuse, type Tensor, toBytes, toJson } from './tensor.ts';

const Parameters = z.record(z.string(), z.unknown()).nullish();

const RequestJson = z.object({
  id: z.string().nullish(),
  parameters: Parameters,
  inputs: z.array(
    z.object({
      name: z.string(),
      shape: z.array(z.int().min(0)),
      datatype: z.string(),
      parameters: Parameters,
      data: z.unknown().optional(),
    }),
  ),
  outputs: z.array(z.object({ name: z.string(), parameters: Parameters })).nullish(),
});
type RequestJson = z.infer<typeof RequestJson>;
type InputJson = RequestJson['inputs'][number];

export interface WantedOutput {
  readonly name: string;
  readonly isBinary: boolean;
}

export interface InferRequest {
  readonly id: string | undefined;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly inputs: ReadonlyMap<string, Tensor>;
  /** Outputs in the order that they are asked for. */
  readonly outputs: readonly WantedOutput[];
}

/** Extensions that change where or in which form a tensor is; ignored, they would give a wrong answer. */
const NOT_OFFERED: Readonly<Record<string, string>> = {
  shared_memory_region: 'shared memory',
  shared_memory_byte_size: 'shared memory',
  shared_memory_offset: 'shared memory',
  classification: 'classification',
};

const refuseExtensions = (
  what: string,
  parameters: Readonly<Record<string, unknown>> | null | undefined,
): void => {
  const found = Object.keys(parameters ?? {}).find((key) => Object.hasOwn(NOT_OFFERED, key));
  if (found) refuse(`${what}: ${NOT_OFFERED[found]} is not offered`, `leave ${found} out`);
};

/** Where the JSON ends. @throws TollamaError INVALID_REQUEST for a header that lies outside of the body */
const jsonLength = (header: string | undefined, total: number): number => {
  if (header === undefined) return total;
  const length = Number(header);
  if (/^\d+$/.test(header) && length > 0 && length <= total) return length;
  return refuse(
    `Inference-Header-Content-Length '${header}' is not within the body of ${total} bytes`,
  );
};

const parseJson = (bytes: Uint8Array): RequestJson => {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    return refuse(`the request is not valid JSON: ${errorMessage(error)}`);
  }
  const parsed = RequestJson.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return refuse(`the request is not valid: ${issue!.path.join('.') || 'body'}: ${issue!.message}`);
};

const binarySize = ({ name, parameters, data }: InputJson): number | undefined => {
  refuseExtensions(`input '${name}'`, parameters);
  const size = parameters?.binary_data_size;
  if (size === undefined || size === null) {
    if (data === undefined) refuse(`input '${name}' has neither data nor binary_data_size`);
    return undefined;
  }
  if (data !== undefined) refuse(`input '${name}' has both data and binary_data_size`);
  if (typeof size === 'number' && Number.isInteger(size) && size >= 0) return size;
  return refuse(`input '${name}': binary_data_size ${JSON.stringify(size)} is not a size`);
};

/** Reads one input after the other, taking bytes off the rest where an input is binary. */
const readInputs = (
  request: RequestJson,
  rest: Uint8Array,
  { inputs }: Signature,
): Map<string, Tensor> => {
  const tensors = new Map<string, Tensor>();
  let at = 0;
  for (const one of request.inputs) {
    const { name, shape, datatype } = one;
    const size = binarySize(one);
    const known = inputs.find((input) => input.name === name);
    if (!known) {
      refuse(`unknown input '${name}'`, `the inputs are ${inputs.map((i) => i.name).join(', ')}`);
    }
    if (tensors.has(name)) refuse(`input '${name}' is given twice`);
    const { datatype: expected, shape: wanted } = known!;
    if (datatype !== expected) refuse(`input '${name}' is ${datatype}, expected ${expected}`);
    const isFit = shape.length === wanted.length && wanted.every((n, i) => n < 0 || n === shape[i]);
    if (!isFit) refuse(`input '${name}' has shape [${shape}], expected [${wanted}]`);
    if (size !== undefined && at + size > rest.length) {
      refuse(`input '${name}': ${at + size - rest.length} more bytes expected`);
    }
    const data =
      size === undefined
        ? fromJson(name, expected, shape, one.data)
        : fromBytes(name, expected, shape, rest.subarray(at, at + size));
    at += size ?? 0;
    tensors.set(name, { name, datatype: expected, shape, data });
  }
  if (at < rest.length) refuse(`${rest.length - at} bytes follow the last input`);
  for (const { name, isRequired } of inputs) {
    if (isRequired && !tensors.has(name)) refuse(`input '${name}' is missing`);
  }
  return tensors;
};

/** None listed means all; the request-wide flag counts only then. */
const wantedOutputs = (
  { outputs, parameters }: RequestJson,
  signature: Signature,
): WantedOutput[] => {
  if (!outputs?.length) {
    const isBinary = parameters?.binary_data_output === true;
    return signature.outputs.map(({ name }) => ({ name, isBinary }));
  }
  return outputs.map(({ name, parameters: own }) => {
    const isKnown = signature.outputs.some((output) => output.name === name);
    if (!isKnown) refuse(`unknown output '${name}'`);
    refuseExtensions(`output '${name}'`, own);
    return { name, isBinary: own?.binary_data === true };
  });
};

/** @throws TollamaError INVALID_REQUEST for anything that is not as the protocol has it */
export const decodeRequest = (
  body: Uint8Array,
  header: string | undefined,
  signature: Signature,
): InferRequest => {
  const length = jsonLength(header, body.length);
  const request = parseJson(body.subarray(0, length));
  const inputs = readInputs(request, body.subarray(length), signature);
  return {
    id: request.id ?? undefined,
    parameters: request.parameters ?? {},
    inputs,
    outputs: wantedOutputs(request, signature),
  };
};

/** A tensor of an answer, and what is told beside it. */
export interface OutputTensor extends Tensor {
  readonly parameters?: Readonly<Record<string, unknown>>;
}

export interface EncodedAnswer {
  readonly body: Uint8Array;
  /** Bytes of JSON before the binary part; undefined without one. */
  readonly headerLength: number | undefined;
}

export interface AnswerFacts {
  readonly id: string | undefined;
  readonly model: string;
  readonly version: string;
}

/** Outputs in the model's own order; the bytes follow it. */
export const encodeAnswer = (
  tensors: readonly OutputTensor[],
  wanted: readonly WantedOutput[],
  { id, model, version }: AnswerFacts,
): EncodedAnswer => {
  const chunks: Uint8Array[] = [];
  const outputs = tensors.flatMap((tensor): object[] => {
    const { name, datatype, shape, parameters } = tensor;
    const asked = wanted.find((output) => output.name === name);
    if (!asked) return [];
    if (!asked.isBinary) {
      return [{ name, datatype, shape, ...(parameters && { parameters }), data: toJson(tensor) }];
    }
    const bytes = toBytes(tensor);
    chunks.push(bytes);
    return [
      { name, datatype, shape, parameters: { ...parameters, binary_data_size: bytes.length } },
    ];
  });
  const json = Buffer.from(
    JSON.stringify({
      ...(id !== undefined && { id }),
      model_name: model,
      model_version: version,
      outputs,
    }),
  );
  return chunks.length === 0
    ? { body: json, headerLength: undefined }
    : { body: Buffer.concat([json, ...chunks]), headerLength: json.length };
};
