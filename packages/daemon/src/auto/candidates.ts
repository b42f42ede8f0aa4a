/** Models that could make a forecast: the installed ones, and those that are always there. */
import { type CovariateSupport, NO_COVARIATES } from '@tollama/core/capabilities';
import type { Manifest, RegistryEntry } from '@tollama/core/manifest';
import { STATISTICAL_FAMILY } from '@tollama/core/statistical';
import type { DaemonContext } from '../context.ts';

export interface Candidate {
  readonly model: string;
  readonly family: string;
  readonly support: CovariateSupport;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly isInstalled: boolean;
  readonly needsAcceptance: boolean;
}

export const toCandidate = (
  { name, family, capabilities, metadata, license }: Manifest | RegistryEntry,
  isInstalled: boolean,
): Candidate => ({
  model: name,
  family,
  support: capabilities ?? NO_COVARIATES,
  metadata: metadata ?? {},
  isInstalled,
  needsAcceptance: license.needs_acceptance,
});

/**
 * The models without weights that stand in when nothing installed can. They are not among the candidates
 * otherwise: who installed a model wants that one.
 */
export const STAND_INS: readonly Candidate[] = ['auto', 'auto-ets', 'theta', 'seasonal-naive'].map(
  (model) => ({
    model,
    family: STATISTICAL_FAMILY,
    support: NO_COVARIATES,
    metadata: { embedded: true },
    isInstalled: true,
    needsAcceptance: false,
  }),
);

/** Installed models that can forecast, sorted by name. */
export const installedCandidates = async ({
  store,
}: Pick<DaemonContext, 'store'>): Promise<readonly Candidate[]> =>
  (await store.list())
    .filter(({ metadata }) => metadata?.forecast_ready !== false)
    .map((manifest) => toCandidate(manifest, true));
