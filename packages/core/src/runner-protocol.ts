/**
 * The stdio protocol between the daemon and its runners: one JSON object a line, UTF-8. A request
 * {id, method, params}, exactly one answer {id, result} or {id, error {code, message, data?}}.
 */
import { z } from 'zod';

export const PROTOCOL_VERSION = 1;

export const METHODS = [
  'hello',
  'ping',
  'capabilities',
  'load',
  'unload',
  'forecast',
  'create',
  'cancel',
] as const;
export type Method = (typeof METHODS)[number];

/** JSON-RPC's codes for requests that never reach a model. */
export const RPC = {
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
} as const;

/** A capability of hello: requests may carry the W3C trace context that they belong to. */
export const TRACE_CAPABILITY = 'trace';

export const RunnerRequest = z.object({
  id: z.string().min(1),
  method: z.string().min(1),
  params: z.record(z.string(), z.unknown()).default({}),
  traceparent: z.string().optional(),
  tracestate: z.string().optional(),
});
export type RunnerRequest = z.infer<typeof RunnerRequest>;

export const RunnerErrorBody = z.object({
  code: z.union([z.int(), z.string()]),
  message: z.string(),
  data: z.unknown().optional(),
});
export type RunnerErrorBody = z.infer<typeof RunnerErrorBody>;

export type RunnerAnswer =
  | { readonly id: string; readonly result: unknown }
  | { readonly id: string; readonly error: RunnerErrorBody };

export const HelloResult = z.object({
  name: z.string(),
  version: z.string(),
  protocol: z.int().optional(),
  capabilities: z.array(z.string()).default([]),
  supported_families: z.array(z.string()).optional(),
});
export type HelloResult = z.infer<typeof HelloResult>;

/** How a runner finds and opens a model; part of the params of load, capabilities and forecast. */
export const ModelReference = z.object({
  model: z.string().min(1),
  model_family: z.string().nullish(),
  model_local_dir: z.string().nullish(),
  /** Folder of a LoRA adapter that is merged into the weights. */
  model_adapter_dir: z.string().nullish(),
  /** Where graph files of the model may be kept between runs. */
  model_cache_dir: z.string().nullish(),
  model_metadata: z.record(z.string(), z.unknown()).nullish(),
});
export type ModelReference = z.infer<typeof ModelReference>;

/** Options of the session, taken out of a request's `options`. */
export const SessionChoice = z.object({
  precision: z.enum(['float32', 'int8']).default('float32'),
  device: z.enum(['cpu', 'cuda', 'webgpu', 'coreml', 'dml']).default('cpu'),
});
export type SessionChoice = z.infer<typeof SessionChoice>;

/** A protocol answer in a line of a runner's stdout, or undefined: libraries print there too. */
export const parseAnswer = (line: string): RunnerAnswer | undefined => {
  if (!line.startsWith('{')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const { id, error } = value as { id?: unknown; error?: unknown };
  if (typeof id !== 'string') return undefined;
  if (Object.hasOwn(value as object, 'result')) return value as RunnerAnswer;
  const parsed = RunnerErrorBody.safeParse(error);
  return parsed.success ? { id, error: parsed.data } : undefined;
};
