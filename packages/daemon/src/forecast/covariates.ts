/** What a request's covariates become when the model cannot use all of them. */
import type { CovariateSupport } from '@tollama/core/capabilities';
import {
  type CovariateKind,
  supportsCovariate,
  unsupportedCovariate,
} from '@tollama/core/covariate-support';
import { TollamaError } from '@tollama/core/errors';
import { type CovariateValues, isNumericCovariate, type Series } from '@tollama/core/series';

export interface FilterOptions {
  readonly model: string;
  readonly family: string;
  readonly support: CovariateSupport;
  /** strict refuses, best_effort drops with a warning. */
  readonly isStrict: boolean;
}

const kindOf = (values: CovariateValues, hasFuture: boolean): CovariateKind =>
  `${hasFuture ? 'known-future' : 'past-only'} ${isNumericCovariate(values) ? 'numeric' : 'categorical'}`;

const pick = <T>(
  values: Readonly<Record<string, T>>,
  names: ReadonlySet<string>,
): Record<string, T> | undefined => {
  const kept = Object.entries(values).filter(([name]) => names.has(name));
  return kept.length > 0 ? Object.fromEntries(kept) : undefined;
};

/** Series with the covariates that the model can use, and a warning for each one dropped. */
export const filterCovariates = (
  series: readonly Series[],
  options: FilterOptions,
): { series: Series[]; warnings: string[] } => {
  const warnings: string[] = [];
  const allow = (kind: CovariateKind, id: string, name: string): boolean => {
    if (supportsCovariate(options.support, kind)) return true;
    const message = unsupportedCovariate(options, kind, `series='${id}' covariate='${name}'`);
    if (options.isStrict) {
      throw new TollamaError('INVALID_REQUEST', message, {
        hint: "leave the covariate out, choose another model, or use covariates_mode 'best_effort'",
      });
    }
    warnings.push(`ignoring unsupported covariate: ${message}`);
    return false;
  };
  const filtered = series.map((one): Series => {
    const past = one.past_covariates ?? {};
    const future = one.future_covariates ?? {};
    const statics = one.static_covariates ?? {};
    const names = new Set(
      Object.keys(past).filter((name) =>
        allow(kindOf(past[name]!, Object.hasOwn(future, name)), one.id, name),
      ),
    );
    const staticNames = new Set(
      Object.keys(statics).filter((name) => allow('static', one.id, name)),
    );
    return {
      ...one,
      past_covariates: pick(past, names),
      future_covariates: pick(future, names),
      static_covariates: pick(statics, staticNames),
    };
  });
  return { series: filtered, warnings };
};
