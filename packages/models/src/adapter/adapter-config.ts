/** adapter_config.json of PEFT: what a LoRA adapter says of itself (peft/tuners/lora/config.py). */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { z } from 'zod';

const ADAPTER_CONFIG = 'adapter_config.json';

/** Ways to begin a training that leave the base's weights as they are. */
const INITIALIZATIONS = ['gaussian', 'eva', 'orthogonal'] as const;

const off = (what: string) => z.literal(false, { error: `${what} is not supported` }).nullish();

const none = (what: string) => z.null({ error: `${what} is not supported` }).optional();

const isPattern = (text: string): boolean => {
  try {
    return Boolean(new RegExp(text));
  } catch {
    return false;
  }
};

const patterns = <Value extends z.ZodType>(value: Value) =>
  z
    .record(z.string(), value)
    .refine((record) => Object.keys(record).every(isPattern), {
      error: 'its keys must be regular expressions',
    })
    .nullish();

const AdapterConfig = z.object({
  peft_type: z.enum(['LORA', 'BOTTLENECK'], {
    error: 'only LORA and BOTTLENECK adapters are supported',
  }),
  base_model_name_or_path: z.string().nullish(),
  revision: z.string().nullish(),
  r: z.int().positive().default(8),
  lora_alpha: z.number().default(8),
  /** Rank and alpha of modules whose name ends with the pattern, a regular expression. */
  rank_pattern: patterns(z.int().positive()),
  alpha_pattern: patterns(z.number()),
  use_rslora: z.boolean().default(false),
  /** Whether the base stores its weights as [in, out]. */
  fan_in_fan_out: z.boolean().nullish(),
  /** Whether every row has a magnitude (Liu et al. 2024). */
  use_dora: z.boolean().nullish(),
  use_qalora: off('QA-LoRA (use_qalora)'),
  lora_bias: off('a trained bias of the adapter (lora_bias)'),
  layer_replication: none('layer_replication'),
  alora_invocation_tokens: none('activated LoRA (alora_invocation_tokens)'),
  init_lora_weights: z
    .union([z.boolean(), z.enum(INITIALIZATIONS)], {
      error: 'the adapter changes the base at its start; convert it to plain LoRA with PEFT',
    })
    .default(true),
});
export type AdapterConfig = z.infer<typeof AdapterConfig>;

/** The value of the first pattern that the whole module name or its last parts match, as PEFT matches. */
const patternValue = (
  patterns: Readonly<Record<string, number>> | null | undefined,
  module: string,
): number | undefined => {
  for (const [pattern, value] of Object.entries(patterns ?? {})) {
    if (new RegExp(`^(.*\\.)?(${pattern})$`).test(module)) return value;
  }
  return undefined;
};

export const rankOf = (config: AdapterConfig, module: string): number =>
  patternValue(config.rank_pattern, module) ?? config.r;

/** What B . A is multiplied by: alpha / r, or alpha / sqrt(r) with rank-stabilised LoRA. */
export const factorOf = (config: AdapterConfig, module: string): number => {
  const rank = rankOf(config, module);
  const alpha = patternValue(config.alpha_pattern, module) ?? config.lora_alpha;
  return alpha / (config.use_rslora ? Math.sqrt(rank) : rank);
};

const refuse = (message: string, cause?: unknown): never => {
  throw new TollamaError('CHECKPOINT_INVALID', message, { cause });
};

/**
 * @throws TollamaError CHECKPOINT_INVALID when there is none or it is malformed, MODEL_UNSUPPORTED for
 * another kind of adapter, with the key and its value
 */
export const readAdapterConfig = async (folder: string): Promise<AdapterConfig> => {
  const path = join(folder, ADAPTER_CONFIG);
  const text = await readFile(path, 'utf8').catch((cause) =>
    refuse(`there is no ${ADAPTER_CONFIG} in ${folder}`, cause),
  );
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (cause) {
    return refuse(`${path} is not JSON: ${errorMessage(cause)}`, cause);
  }
  const parsed = AdapterConfig.safeParse(config);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const key = String(issue!.path[0] ?? '');
  const value = (config as Readonly<Record<string, unknown>> | null)?.[key];
  throw new TollamaError(
    'MODEL_UNSUPPORTED',
    `${path}: ${key} = ${JSON.stringify(value) ?? 'nothing'}: ${issue!.message}`,
    { hint: 'adapters are plain LoRA (peft_type LORA), as PEFT saves them, or of `tollama train`' },
  );
};
