/** Which models an environment may ask: aliases, licences, and the lists of tsfm_models.yaml. */
import { readFile } from 'node:fs/promises';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { BUILT_IN_REGISTRY } from '@tollama/core/registry';
import { parse } from 'yaml';
import { z } from 'zod';

const Model = z.looseObject({
  model_name: z.string(),
  model_version: z.string().nullish(),
  license_tag: z.enum(['commercial_ok', 'research_only']),
});

/** The aliases of an environment: a list, or a block that holds one. */
const Allowed = z.union([
  z.array(z.string()),
  z
    .looseObject({
      allowed: z.array(z.string()).optional(),
      allowed_models: z.array(z.string()).optional(),
      allowed_aliases: z.array(z.string()).optional(),
      allowlist: z.array(z.string()).optional(),
    })
    .transform((block) =>
      [block.allowed, block.allowed_models, block.allowed_aliases, block.allowlist].flatMap(
        (list) => list ?? [],
      ),
    ),
]);

const RegistryFile = z.object({
  models: z.record(z.string(), Model),
  environments: z.record(z.string(), Allowed).default({}),
});
type RegistryFile = z.infer<typeof RegistryFile>;

export type Refusal = 'model_not_registered' | 'model_not_allowed' | 'license_not_allowed';

export type Permission =
  | { readonly isAllowed: true; readonly model: string; readonly version: string | undefined }
  | { readonly isAllowed: false; readonly refusal: Refusal };

export interface ModelRegistry {
  check(model: string, environment: string | undefined): Permission;
}

/** The environment in which models for research are refused. */
const COMMERCIAL = 'prod';

const refused = (refusal: Refusal): Permission => ({ isAllowed: false, refusal });
const allowed = (model: string, version?: string): Permission => ({
  isAllowed: true,
  model,
  version,
});

/** Lets everything pass. */
export const OPEN_REGISTRY: ModelRegistry = { check: (model) => allowed(model) };

/** By the licences of the models that tollama knows; a model it does not know passes. */
export const LICENCE_REGISTRY: ModelRegistry = {
  check(model, environment) {
    const known = BUILT_IN_REGISTRY.find(({ name }) => name === model);
    const isResearchOnly = known !== undefined && /-nc(-|$)/i.test(known.license.type);
    return isResearchOnly && environment === COMMERCIAL
      ? refused('license_not_allowed')
      : allowed(model);
  },
};

/** By a file: a model is asked for by its alias or its name. */
export const fileRegistry = ({ models, environments }: RegistryFile): ModelRegistry => ({
  check(asked, environment) {
    const alias = Object.hasOwn(models, asked)
      ? asked
      : Object.keys(models).find((name) => models[name]!.model_name === asked);
    if (alias === undefined) return refused('model_not_registered');
    const model = models[alias]!;
    if (environment === COMMERCIAL && model.license_tag === 'research_only') {
      return refused('license_not_allowed');
    }
    const list = environment === undefined ? undefined : environments[environment];
    if (list && !list.includes(alias)) return refused('model_not_allowed');
    return allowed(model.model_name, model.model_version ?? undefined);
  },
});

/** Reads tsfm_models.yaml. Throws CONFIG_INVALID that names what is wrong, or a research model in prod. */
export const readRegistry = async (path: string): Promise<ModelRegistry> => {
  let file: RegistryFile;
  try {
    file = RegistryFile.parse(parse(await readFile(path, 'utf8')));
  } catch (cause) {
    throw new TollamaError('CONFIG_INVALID', `${path} cannot be used: ${errorMessage(cause)}`, {
      hint: 'it holds models: alias -> model_name, license_tag, and environments: name -> aliases',
      cause,
    });
  }
  const barred = (file.environments[COMMERCIAL] ?? []).find(
    (alias) => file.models[alias]?.license_tag === 'research_only',
  );
  if (barred !== undefined) {
    throw new TollamaError(
      'CONFIG_INVALID',
      `${path}: environment ${COMMERCIAL} allows '${barred}', whose licence is research_only`,
      { hint: `take it out of environments.${COMMERCIAL}` },
    );
  }
  return fileRegistry(file);
};
