import type { StreamEvent } from '@tollama/client';
import { z } from 'zod';
import type { Progress } from '../progress.ts';
import type { Tool } from '../tool.ts';

const Input = z.strictObject({
  model: z.string().min(1).describe('a name of list_models, or owner/name of the hub'),
  accept_license: z
    .boolean()
    .default(false)
    .describe('only true when the user has read and accepted the licence'),
});

const Output = z.object({
  model: z.string(),
  digest: z.string().nullable(),
  size_bytes: z.number(),
  already_present: z.boolean(),
});

const MEGABYTE = 1e6;

/** Statuses carry bytes under either the contract's names or Ollama's. */
const tell = (event: StreamEvent, model: string, progress: Progress): void => {
  const done = Number(event.completed_bytes ?? event.completed ?? 0);
  const total = Number(event.total_bytes ?? event.total ?? 0);
  if (total > 0) {
    const share = `${(done / MEGABYTE).toFixed(1)} of ${(total / MEGABYTE).toFixed(1)} MB`;
    progress.report(done, total, `${model}: ${share}`);
  } else {
    progress.report(0, 1, `${model}: ${event.status ?? 'pulling'}`);
  }
};

export const pullModel: Tool<typeof Input, typeof Output> = {
  name: 'pull_model',
  title: 'Pull a forecasting model',
  description:
    'Downloads a model to this machine, which can take gigabytes and minutes. Some licences need the consent of the user first; never accept one on your own.',
  input: Input,
  output: Output,
  annotations: {
    readOnlyHint: false,
    destructiveHint: false,
    idempotentHint: true,
    openWorldHint: true,
  },
  async run({ model, accept_license }, { context: { client }, signal, progress }) {
    let last: StreamEvent = {};
    let isPresent = false;
    for await (const event of client.pull({ model, accept_license }, { signal })) {
      if (event.status === 'already present') isPresent = true;
      tell(event, model, progress);
      last = event;
    }
    return {
      model: String(last.model ?? model),
      digest: typeof last.digest === 'string' ? last.digest : null,
      size_bytes: Number(last.size ?? 0),
      already_present: isPresent,
    };
  },
  summarize: ({ model, size_bytes, already_present }) =>
    already_present
      ? `${model} is already here (${(size_bytes / MEGABYTE).toFixed(1)} MB).`
      : `${model} is pulled (${(size_bytes / MEGABYTE).toFixed(1)} MB).`,
};
