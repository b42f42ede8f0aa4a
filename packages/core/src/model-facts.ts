import { z } from 'zod';
import { Capabilities } from './capabilities.ts';

/** What a checkpoint is, as a runner finds it by reading config and headers. */
export const ModelFacts = z.object({
  family: z.string(),
  capabilities: Capabilities,
  /** Weights in bytes. */
  size_bytes: z.number(),
  parameters: z.number(),
});
export type ModelFacts = z.infer<typeof ModelFacts>;

/** Limits and size as the registry and manifests write them. */
export const metadataOf = ({
  capabilities,
  parameters,
  family,
}: ModelFacts): Record<string, unknown> => ({
  architecture: family,
  parameters,
  ...(capabilities.contextLength !== null && { context_length: capabilities.contextLength }),
  ...(capabilities.nativeHorizon !== null && { prediction_length: capabilities.nativeHorizon }),
  ...(capabilities.maxHorizon !== null && { max_horizon: capabilities.maxHorizon }),
});
