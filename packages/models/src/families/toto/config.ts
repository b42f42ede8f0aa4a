/** The published config.json of Toto 1.0 (toto, model/backbone.py), with its defaults filled in. */
import { z } from 'zod';

const count = z.int().positive();

/** Scales each patch by what was observed up to its end, as published models do. */
const PATCH_SCALER = "<class 'model.scaler.CausalPatchStdMeanScaler'>";
/** Scales each step by what was observed up to it. */
export const CAUSAL_SCALER = "<class 'model.scaler.CausalStdMeanScaler'>";
/** Scales everything by the whole context. */
export const WHOLE_SCALER = "<class 'model.scaler.StdMeanScaler'>";

const MIXTURE = "<class 'model.distribution.MixtureOfStudentTsOutput'>";
const STUDENT_T = "<class 'model.distribution.StudentTOutput'>";

interface Distribution {
  readonly output_distribution_classes: readonly [string, ...unknown[]];
  readonly output_distribution_kwargs?:
    | { readonly k_components?: number | undefined }
    | null
    | undefined;
}

/** Whether the output is one Student-t distribution, which has no shares. */
export const isSingle = ({ output_distribution_classes: [kind] }: Distribution): boolean =>
  kind === STUDENT_T;

/** Student-t distributions at each step. */
export const componentsOf = (c: Distribution): number | undefined =>
  isSingle(c) ? 1 : c.output_distribution_kwargs?.k_components;

export const Config = z
  .object({
    patch_size: count,
    stride: count,
    embed_dim: count,
    num_layers: count,
    num_heads: count,
    mlp_hidden_dim: count,
    /** A group of so many layers has one that looks across variates; -1: none has. */
    spacewise_every_n_layers: z.union([z.literal(-1), count]),
    spacewise_first: z.boolean().default(true),
    scaler_cls: z.enum([PATCH_SCALER, CAUSAL_SCALER, WHOLE_SCALER]),
    /** The reference reads the first one. */
    output_distribution_classes: z.tuple([z.enum([MIXTURE, STUDENT_T])], z.unknown()),
    output_distribution_kwargs: z.object({ k_components: count.optional() }).nullish(),
    stabilize_with_global: z.boolean().default(true),
    scale_factor_exponent: z.number().default(10),
  })
  .refine((c) => componentsOf(c) !== undefined, {
    path: ['output_distribution_kwargs', 'k_components'],
    message: 'a mixture needs the number of its components',
  })
  .refine((c) => c.stride === c.patch_size, {
    path: ['stride'],
    message: 'patches that overlap or leave gaps cannot be rolled out; it must equal patch_size',
  })
  .refine((c) => c.embed_dim % (2 * c.num_heads) === 0, {
    path: ['num_heads'],
    message: 'it must divide embed_dim into even widths',
  })
  .refine(
    (c) => c.spacewise_every_n_layers === -1 || c.num_layers % c.spacewise_every_n_layers === 0,
    { path: ['num_layers'], message: 'it must be a multiple of spacewise_every_n_layers' },
  );
export type Config = z.infer<typeof Config>;

/** Points of the training context. */
export const CONTEXT_LENGTH = 4096;

/** Whether a layer looks across the variates; the others look back in time. */
export const isVariateLayer = (i: number, c: Config): boolean => {
  const { spacewise_every_n_layers: size, spacewise_first } = c;
  return size !== -1 && i % size === (spacewise_first ? 0 : size - 1);
};

/** Layers that look back in time, each of which remembers. */
export const timeLayers = (c: Config): readonly number[] =>
  Array.from({ length: c.num_layers }, (_, i) => i).filter((i) => !isVariateLayer(i, c));
