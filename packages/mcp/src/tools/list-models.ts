import { CovariateSupport } from '@tollama/core/capabilities';
import { z } from 'zod';
import { READS, type Tool } from '../tool.ts';

const Input = z.strictObject({
  installed_only: z.boolean().default(false).describe('leave out what would have to be pulled'),
});

const ListedModel = z.object({
  name: z.string(),
  family: z.string(),
  installed: z.boolean(),
  loaded: z.boolean(),
  license: z.object({ type: z.string(), needs_acceptance: z.boolean(), accepted: z.boolean() }),
  covariates: CovariateSupport,
  /** Limits and facts of the registry: max_horizon, max_context, ... */
  metadata: z.record(z.string(), z.unknown()),
});

const Output = z.object({ models: z.array(ListedModel) });

export const listModels: Tool<typeof Input, typeof Output> = {
  name: 'list_models',
  title: 'List forecasting models',
  description:
    'Forecasting models that are installed or can be pulled, with licences and the covariates that they use. Models of the family "statistical" are always there; "auto" among them needs no choice.',
  input: Input,
  output: Output,
  annotations: READS,
  async run({ installed_only }, { context: { client }, signal }) {
    const [listed, { models: loaded }] = await Promise.all([
      client.models({ signal }),
      client.ps({ signal }),
    ]);
    const names = new Set(loaded.map(({ name }) => name));
    const byName = new Map(
      [...listed.available, ...listed.installed].map((model) => [model.name, model]),
    );
    const models = [...byName.values()]
      .filter(({ installed }) => installed || !installed_only)
      .map((model) => ({
        name: model.name,
        family: model.family,
        installed: model.installed,
        loaded: names.has(model.name),
        license: model.license,
        covariates: model.capabilities,
        metadata: { ...model.metadata },
      }));
    return { models };
  },
  summarize({ models }) {
    const installed = models.filter((model) => model.installed).map(({ name }) => name);
    const others = models.filter((model) => !model.installed).map(({ name }) => name);
    return [
      `Installed: ${installed.join(', ') || 'none'}.`,
      ...(others.length > 0 ? [`Can be pulled: ${others.join(', ')}.`] : []),
    ].join('\n');
  },
};
