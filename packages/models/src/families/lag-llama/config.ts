/**
 * What Lag-Llama's checkpoint says of itself: the `hyper_parameters` of its file of torch.save, or the same
 * as a config.json (lag_llama/gluon/lightning_module.py).
 */
import { z } from 'zod';
import { SCALINGS } from './path-scaler.ts';

const count = z.int().positive();
const factor = z.number().min(1);

/** The distribution of the next value. */
export type DistributionOutput =
  | { readonly kind: 'studentT' | 'neg_bin' }
  | {
      readonly kind: 'iqn';
      /** Waves that a level is told by. */
      readonly cosines: number;
      readonly domain: 'positive' | null;
    };

const COSINES = 64;

/** An instance that the library pickled; the module's name is its version's. */
const instance = (name: string) => z.object({ class: z.string().endsWith(`.${name}`) });

const named = z
  .enum(['studentT', 'neg_bin', 'iqn'])
  .transform(
    (kind): DistributionOutput =>
      kind === 'iqn' ? { kind, cosines: COSINES, domain: null } : { kind },
  );

const implicit = instance('ImplicitQuantileNetworkOutput')
  .extend({
    cos_embedding_dim: count.default(COSINES),
    output_domain: z.literal('positive').nullable().default(null),
  })
  .transform(
    (c): DistributionOutput => ({
      kind: 'iqn',
      cosines: c.cos_embedding_dim,
      domain: c.output_domain,
    }),
  );

const Distribution = z.union([
  named,
  instance('StudentTOutput').transform((): DistributionOutput => ({ kind: 'studentT' })),
  instance('NegativeBinomialOutput').transform((): DistributionOutput => ({ kind: 'neg_bin' })),
  implicit,
]);

/** How positions beyond the trained ones are told. */
const RopeScaling = z.discriminatedUnion('type', [
  z.object({ type: z.literal('linear'), factor }),
  z.object({ type: z.literal('dynamic'), factor }),
  z.object({ type: z.literal('nope'), factor: z.unknown() }),
]);

export const Config = z.object({
  context_length: count,
  model_kwargs: z.object({
    max_context_length: count.default(2048),
    scaling: z.enum(SCALINGS).nullable(),
    input_size: z.literal(1).default(1),
    n_layer: count,
    n_embd_per_head: count.refine(
      (width) => width % 2 === 0,
      'it must be even, for rotary positions',
    ),
    n_head: count,
    /** How far back each feature looks; 0 is the value itself. */
    lags_seq: z.array(z.int().min(0)).min(1),
    distr_output: Distribution.default({ kind: 'studentT' }),
    num_parallel_samples: count.default(100),
    rope_scaling: RopeScaling.nullable().default(null),
    time_feat: z.boolean().default(true),
  }),
});
export type Config = z.infer<typeof Config>;

/** The farthest lag: points that the context needs before its first one. */
export const farthestLag = ({ model_kwargs: { lags_seq } }: Config): number =>
  Math.max(...lags_seq);

/** Second, minute, hour, day of the week, of the month, of the year. */
export const TIME_FEATURES = 6;
