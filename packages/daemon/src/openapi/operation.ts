/** What the document says of a route. */
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

type ContentType =
  | 'application/json'
  | 'application/x-ndjson'
  | 'application/octet-stream'
  | 'text/event-stream'
  | 'text/html'
  | 'text/plain';

export interface Operation {
  readonly method: 'get' | 'post' | 'delete';
  /** As the router has it: `/v1/models/:name`. */
  readonly path: string;
  readonly tag: keyof typeof TAGS;
  readonly summary: string;
  /** JSON body; its name in the document. */
  readonly body?: { readonly name: string; readonly schema: z.ZodType };
  /** Fields of a form beside `file`. */
  readonly form?: { readonly name: string; readonly schema: z.ZodType };
  readonly query?: Readonly<Record<string, string>>;
  readonly answers?: readonly ContentType[];
  readonly answer?: { readonly name: string; readonly schema: z.ZodType };
}
