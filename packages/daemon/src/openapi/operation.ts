/** What the document says of a route. */
import type { ErrorCode } from '@tollama/core/errors';
import type { z } from 'zod';

export const TAGS = {
  forecasts: 'Forecasts',
  scenarios: 'Forecasts under other circumstances, and several in one',
  series: 'Series, tables and calibration',
  models: 'Models: pull, look, remove',
  profiles: 'Modelfiles: defaults that a request takes by name',
  training: 'Trainings: adapters and models of your own',
  batches: 'Runs of `tollama batch` on this machine',
  timegpt: 'TimeGPT API, for its own client',
  inference: 'Open Inference Protocol v2, and KServe time series',
  system: 'The daemon itself',
} as const;

export type ContentType =
  | 'application/json'
  | 'application/x-ndjson'
  | 'application/octet-stream'
  | 'application/yaml'
  | 'text/event-stream'
  | 'text/html'
  | 'text/plain'
  | '*/*';

export interface Parameter {
  readonly in: 'path' | 'query' | 'header';
  readonly description: string;
  readonly schema: z.ZodType;
}

export interface Body {
  /** Its name in the document. */
  readonly name: string;
  readonly schema: z.ZodType;
  readonly example?: unknown;
  /** A body that may be left out. */
  readonly isOptional?: true;
  /** Content types beside JSON, whose content is bytes. */
  readonly alsoAs?: readonly ContentType[];
}

export interface Operation {
  readonly method: 'get' | 'post' | 'delete';
  /** As the router has it: `/v1/models/:name`. */
  readonly path: string;
  /** Name of the function that a code generator makes of it. */
  readonly id: string;
  readonly tag: keyof typeof TAGS;
  readonly summary: string;
  readonly isDeprecated?: true;
  readonly body?: Body;
  /** A form with a file. */
  readonly form?: Body;
  readonly parameters?: Readonly<Record<string, Parameter>>;
  /** 200 when absent. */
  readonly status?: number;
  /** By content type: the whole answer, or one line or event of a stream; null: text or bytes. Empty: no body. */
  readonly answer: Readonly<Partial<Record<ContentType, z.ZodType | null>>>;
  readonly example?: unknown;
  /** Beyond those of any route and of any body. */
  readonly errors?: readonly ErrorCode[];
  /** Statuses that no code stands for, and what they mean. */
  readonly otherErrors?: Readonly<Record<number, string>>;
  /** Routes that a setting may leave open where keys are configured. */
  readonly openBy?: 'docs' | 'dashboard';
}

type Rest = Omit<Operation, 'method' | 'path' | 'id' | 'tag' | 'summary'>;
type Make = (path: string, id: string, summary: string, rest: Rest) => Operation;

/** Makers of a tag's operations. */
export const operationsOf = (
  tag: Operation['tag'],
): { readonly get: Make; readonly post: Make; readonly remove: Make } => {
  const make =
    (method: Operation['method']): Make =>
    (path, id, summary, rest) => ({ method, path, tag, id, summary, ...rest });
  return { get: make('get'), post: make('post'), remove: make('delete') };
};

/** An answer that is JSON. */
export const json = (schema: z.ZodType): Pick<Operation, 'answer'> => ({
  answer: { 'application/json': schema },
});

export const events = (schema: z.ZodType): Pick<Operation, 'answer'> => ({
  answer: { 'text/event-stream': schema },
});

export const body = (
  name: string,
  schema: z.ZodType,
  more: Omit<Body, 'name' | 'schema'> = {},
): Pick<Operation, 'body'> => ({ body: { name, schema, ...more } });

export const query = (description: string, schema: z.ZodType): Parameter => ({
  in: 'query',
  description,
  schema,
});

export const place = (description: string, schema: z.ZodType): Parameter => ({
  in: 'path',
  description,
  schema,
});
