/** The config.json of Chronos-T5: transformers' T5Config, and `chronos_config` of the reference. */
import { z } from 'zod';
import { T5_DECODER_SIZES } from '../../nn/t5-config.ts';

const token = z.int().nonnegative();

export const ChronosT5Config = z.object({
  chronos_pipeline_class: z.literal('ChronosPipeline').optional(),
  ...T5_DECODER_SIZES,
  vocab_size: z.int().positive(),
  decoder_start_token_id: token.default(0),
  tie_word_embeddings: z.boolean().default(true),
  chronos_config: z.object({
    tokenizer_class: z.literal('MeanScaleUniformBins'),
    tokenizer_kwargs: z.object({ low_limit: z.number(), high_limit: z.number() }),
    n_tokens: z.int().positive(),
    n_special_tokens: z.int().positive(),
    pad_token_id: token,
    eos_token_id: token,
    use_eos_token: z.boolean(),
    model_type: z.literal('seq2seq'),
    context_length: z.int().positive(),
    prediction_length: z.int().positive(),
    num_samples: z.int().positive(),
    temperature: z.number().positive(),
    top_k: z.int().nonnegative(),
    top_p: z.number().positive().max(1),
  }),
});
export type ChronosT5Config = z.infer<typeof ChronosT5Config>;
