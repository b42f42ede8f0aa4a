/** ModelInfer as the HTTP request with binary tensors that means the same, and its answer as a message. */
import { refuse } from '../tensor.ts';
import { bytesOf, contentsOf, filledFields } from './contents.ts';
import {
  type ModelInferRequest,
  type ModelInferResponse,
  type TensorMessage,
  toParameter,
  valuesOf,
} from './messages.ts';

export const HEADER = 'inference-header-content-length';

export interface BinaryBody {
  readonly body: Uint8Array<ArrayBuffer>;
  /** Bytes of JSON before the tensors. */
  readonly headerLength: number;
}

/** One for each input, raw or typed but not both. @throws TollamaError INVALID_REQUEST */
const tensorsOf = ({ inputs, raw_input_contents: raw }: ModelInferRequest): Uint8Array[] => {
  if (raw.length === 0) return inputs.map(bytesOf);
  const typed = inputs.find(({ contents }) => filledFields(contents).length > 0);
  if (typed) refuse(`input '${typed.name}' has contents beside raw_input_contents`);
  if (raw.length !== inputs.length) {
    refuse(`raw_input_contents has ${raw.length} tensors for ${inputs.length} inputs`);
  }
  return [...raw];
};

export const toHttpBody = (request: ModelInferRequest): BinaryBody => {
  const tensors = tensorsOf(request);
  const { id, parameters, inputs, outputs } = request;
  const json = Buffer.from(
    JSON.stringify({
      ...(id && { id }),
      parameters: { ...valuesOf(parameters), binary_data_output: true },
      inputs: inputs.map(({ name, datatype, shape, parameters }, i) => ({
        name,
        datatype,
        shape: shape.map(Number),
        parameters: { ...valuesOf(parameters ?? {}), binary_data_size: tensors[i]!.length },
      })),
      outputs: outputs.map(({ name, parameters }) => ({
        name,
        parameters: { ...valuesOf(parameters), binary_data: true },
      })),
    }),
  );
  return { body: Buffer.concat([json, ...tensors]), headerLength: json.length };
};

interface AnswerJson {
  readonly id?: string;
  readonly model_name: string;
  readonly model_version: string;
  readonly outputs: readonly {
    readonly name: string;
    readonly datatype: string;
    readonly shape: readonly number[];
    readonly parameters: Readonly<Record<string, unknown>> & { readonly binary_data_size: number };
  }[];
}

/** Raw contents where the request had them, as the published servers do; typed ones otherwise. */
export const fromHttpAnswer = (
  body: Uint8Array,
  headerLength: number,
  isRaw: boolean,
): ModelInferResponse => {
  const text = Buffer.from(body.buffer, body.byteOffset, headerLength).toString();
  const { id = '', model_name, model_version, outputs } = JSON.parse(text) as AnswerJson;
  const raw: Uint8Array[] = [];
  let at = headerLength;
  const messages = outputs.map(({ name, datatype, shape, parameters }): TensorMessage => {
    const { binary_data_size: size, ...told } = parameters;
    const bytes = body.subarray(at, at + size);
    at += size;
    raw.push(bytes);
    const shown = Object.entries(told).map(([key, value]) => [key, toParameter(value)]);
    const message = { name, datatype, shape, parameters: Object.fromEntries(shown) };
    return isRaw ? message : { ...message, contents: contentsOf(message, bytes) };
  });
  const raw_output_contents = isRaw ? raw : [];
  return { id, model_name, model_version, outputs: messages, raw_output_contents };
};
