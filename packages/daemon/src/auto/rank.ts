/** Which of several models suits a request; decided by what is known of them, nothing is run. */
import type { Strategy } from '@tollama/core/forecast-variants';
import { isNumericCovariate, type Series } from '@tollama/core/series';
import { contextLimit, horizonLimit, seriesLimit } from '../forecast/model-limits.ts';
import type { Candidate } from './candidates.ts';

/** What a request asks of a model. */
export interface Demand {
  readonly horizon: number;
  readonly seriesCount: number;
  readonly longestHistory: number;
  /** Flags of CovariateSupport that the request makes use of. */
  readonly covariates: readonly (keyof Candidate['support'])[];
}

export interface RankedModel {
  readonly model: string;
  readonly family: string;
  readonly rank: number;
  /** Higher is better; comparable within one answer. */
  readonly score: number;
  readonly reasons: readonly string[];
}

export interface ExcludedModel {
  readonly model: string;
  readonly family: string;
  readonly reason: string;
}

export interface Ranking {
  readonly ranked: readonly RankedModel[];
  readonly excluded: readonly ExcludedModel[];
}

const kindsOf = ({
  past_covariates,
  future_covariates,
  static_covariates,
}: Series): (keyof Candidate['support'])[] => {
  const future = future_covariates ?? {};
  const kinds = Object.entries(past_covariates ?? {}).map(([name, values]) => {
    const when = Object.hasOwn(future, name) ? 'future' : 'past';
    const kind = isNumericCovariate(values) ? 'numeric' : 'categorical';
    return `${when}_covariates_${kind}` as const;
  });
  return Object.keys(static_covariates ?? {}).length > 0 ? [...kinds, 'static_covariates'] : kinds;
};

export const demandOf = (series: readonly Series[], horizon: number): Demand => ({
  horizon,
  seriesCount: series.length,
  longestHistory: Math.max(...series.map(({ target }) => target.length)),
  covariates: [...new Set(series.flatMap(kindsOf))].toSorted(),
});

interface Prior {
  /** What public comparisons of zero-shot accuracy suggest, 0 to 100. */
  readonly accuracy: number;
  /** 100 is instant; by the work of one pass, rolled out and sampled models lower. */
  readonly speed: number;
}

const PRIORS: Readonly<Record<string, Prior>> = {
  torch: { accuracy: 90, speed: 60 },
  'chronos-2': { accuracy: 90, speed: 60 },
  granite_ttm: { accuracy: 60, speed: 90 },
  'granite-ttm': { accuracy: 60, speed: 90 },
  'chronos-bolt': { accuracy: 75, speed: 75 },
  'chronos-t5': { accuracy: 65, speed: 25 },
  timesfm: { accuracy: 85, speed: 55 },
  uni2ts: { accuracy: 82, speed: 70 },
  moirai: { accuracy: 70, speed: 50 },
  moirai2: { accuracy: 82, speed: 70 },
  toto: { accuracy: 82, speed: 35 },
  toto2: { accuracy: 86, speed: 45 },
  tirex: { accuracy: 85, speed: 60 },
  flowstate: { accuracy: 75, speed: 70 },
  sundial: { accuracy: 74, speed: 40 },
  timer: { accuracy: 60, speed: 50 },
  lag_llama: { accuracy: 50, speed: 20 },
  patchtst: { accuracy: 50, speed: 80 },
  nhits: { accuracy: 55, speed: 15 },
  nbeatsx: { accuracy: 55, speed: 15 },
  tide: { accuracy: 50, speed: 15 },
  auto: { accuracy: 60, speed: 70 },
  'auto-ets': { accuracy: 50, speed: 70 },
  theta: { accuracy: 48, speed: 85 },
  'seasonal-naive': { accuracy: 30, speed: 100 },
  mock: { accuracy: 0, speed: 100 },
};
const UNKNOWN: Prior = { accuracy: 40, speed: 50 };

const priorOf = ({ model, family, metadata }: Candidate): Prior => {
  const keys = [metadata.embedded ? model : '', String(metadata.implementation ?? ''), family];
  return keys.map((key) => PRIORS[key]).find((prior) => prior !== undefined) ?? UNKNOWN;
};

const WEIGHTS: Readonly<Record<Strategy, Prior>> = {
  auto: { accuracy: 1, speed: 0.3 },
  fastest: { accuracy: 0.1, speed: 1 },
  best_accuracy: { accuracy: 1, speed: 0 },
  ensemble: { accuracy: 1, speed: 0.1 },
};

const COVARIATE_BONUS = 10;
const BEYOND_HORIZON = -25;
const SHORT_CONTEXT = -5;

/** Points for and against one model, each with its reason. */
const judge = (candidate: Candidate, demand: Demand, strategy: Strategy) => {
  const { accuracy, speed } = priorOf(candidate);
  const weights = WEIGHTS[strategy];
  const points: [number, string][] = [
    [
      weights.accuracy * accuracy + weights.speed * speed,
      `accuracy ${accuracy} and speed ${speed} of 100 for its kind`,
    ],
  ];
  for (const kind of demand.covariates) {
    const name = kind.replaceAll('_', ' ');
    points.push(
      candidate.support[kind]
        ? [COVARIATE_BONUS, `uses the ${name}`]
        : [-COVARIATE_BONUS, `ignores the ${name}`],
    );
  }
  const [steps, context] = [horizonLimit(candidate.metadata), contextLimit(candidate.metadata)];
  if (steps !== undefined && demand.horizon > steps) {
    points.push([BEYOND_HORIZON, `made for ${steps} steps, ${demand.horizon} are asked`]);
  }
  if (context !== undefined && demand.longestHistory > context) {
    points.push([SHORT_CONTEXT, `reads ${context} of ${demand.longestHistory} points`]);
  }
  return {
    score: Math.round(points.reduce((sum, [value]) => sum + value, 0) * 100) / 100,
    reasons: points.map(([, reason]) => reason),
  };
};

const exclusionOf = ({ metadata }: Candidate, demand: Demand): string | undefined => {
  if (metadata.forecast_ready === false) return 'cannot forecast yet';
  const most = seriesLimit(metadata);
  return most !== undefined && demand.seriesCount > most
    ? `takes ${most} series a request, ${demand.seriesCount} are given`
    : undefined;
};

/** The best first; equal scores by name, so that the same request gets the same answer. */
export const rank = (
  candidates: readonly Candidate[],
  demand: Demand,
  strategy: Strategy,
): Ranking => {
  const excluded = candidates.flatMap((candidate) => {
    const { model, family } = candidate;
    const reason = exclusionOf(candidate, demand);
    return reason === undefined ? [] : [{ model, family, reason }];
  });
  const out = new Set(excluded.map(({ model }) => model));
  const ranked = candidates
    .filter(({ model }) => !out.has(model))
    .map((candidate) => ({ ...candidate, ...judge(candidate, demand, strategy) }))
    .toSorted((a, b) => b.score - a.score || (a.model < b.model ? -1 : 1))
    .map(({ model, family, score, reasons }, i) => ({
      model,
      family,
      rank: i + 1,
      score,
      reasons,
    }));
  return { ranked, excluded };
};
