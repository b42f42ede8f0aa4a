/** Which kinds of covariates there are, and how it is said that a model does not use one. */
import type { CovariateSupport } from './capabilities.ts';

export type CovariateKind =
  | 'past-only numeric'
  | 'past-only categorical'
  | 'known-future numeric'
  | 'known-future categorical'
  | 'static';

export const supportsCovariate = (support: CovariateSupport, kind: CovariateKind): boolean => {
  switch (kind) {
    case 'past-only numeric':
      return support.past_covariates_numeric;
    case 'past-only categorical':
      return support.past_covariates_categorical;
    case 'known-future numeric':
      return support.future_covariates_numeric;
    case 'known-future categorical':
      return support.future_covariates_categorical;
    case 'static':
      return support.static_covariates;
  }
};

export const unsupportedCovariate = (
  { model, family }: { readonly model: string; readonly family: string },
  kind: CovariateKind,
  place: string,
): string => `model '${model}' (family=${family}) does not support ${kind} covariates; ${place}`;
