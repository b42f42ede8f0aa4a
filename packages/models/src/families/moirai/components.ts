/**
 * The distributions that Moirai mixes (uni2ts, src/uni2ts/distribution): what the head gives for each, and
 * what follows from it.
 */
import {
  incompleteBeta,
  logBeta,
  normalCdf,
  normalDensity,
} from '../../probability/special-functions.ts';

/** How a parameter comes from the head's number: as it is, above 0, at least eps > 0, or above 2. */
export type Domain = 'real' | 'positive' | 'above two' | 'softplus';

/** One distribution with its parameters set. */
export interface Distribution {
  readonly mean: number;
  /** -Infinity outside of the support. */
  logDensity(z: number): number;
  cdf(z: number): number;
}

export interface ComponentKind {
  /** The class of uni2ts. */
  readonly target: string;
  readonly name: string;
  /** Parameters of the head, by their names in the checkpoint. */
  readonly parameters: Readonly<Record<string, Domain>>;
  /** Whether its values are whole numbers: the distribution function has steps. */
  readonly isDiscrete: boolean;
  readonly at: (parameters: Readonly<Record<string, number>>) => Distribution;
}

const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

const studentT: ComponentKind = {
  target: 'StudentTOutput',
  name: 'student_t',
  parameters: { df: 'above two', loc: 'real', scale: 'positive' },
  isDiscrete: false,
  at: ({ df = 0, loc = 0, scale = 0 }) => {
    const half = logBeta(df / 2, 0.5);
    const constant = -Math.log(scale) - 0.5 * Math.log(df) - half;
    return {
      mean: loc,
      logDensity: (z) => constant - 0.5 * (df + 1) * Math.log1p(((z - loc) / scale) ** 2 / df),
      cdf: (z) => {
        const t = (z - loc) / scale;
        const tail = 0.5 * incompleteBeta(df / (df + t * t), df / 2, 0.5, half);
        return t > 0 ? 1 - tail : tail;
      },
    };
  },
};

const normalFixedScale: ComponentKind = {
  target: 'NormalFixedScaleOutput',
  name: 'normal_fixed',
  parameters: { loc: 'real' },
  isDiscrete: false,
  at: ({ loc = 0, scale = 0 }) => ({
    mean: loc,
    logDensity: (z) =>
      -0.5 * ((z - loc) / scale) ** 2 - Math.log(scale) - 0.5 * Math.log(2 * Math.PI),
    cdf: (z) => normalCdf((z - loc) / scale),
  }),
};

/** Counts of successes before the r-th failure; the density is continued to all numbers from 0 on. */
const negativeBinomial: ComponentKind = {
  target: 'NegativeBinomialOutput',
  name: 'negative_binomial',
  parameters: { total_count: 'softplus', logits: 'real' },
  isDiscrete: true,
  at: ({ total_count: r = 0, logits = 0 }) => {
    const failure = 1 / (1 + Math.exp(logits));
    return {
      mean: r * Math.exp(logits),
      logDensity: (z) =>
        z < 0
          ? Number.NEGATIVE_INFINITY
          : -r * softplus(logits) - z * softplus(-logits) - logBeta(1 + z, r) - Math.log(r + z),
      cdf: (z) => {
        const count = Math.floor(z) + 1;
        return z < 0 ? 0 : incompleteBeta(failure, r, count, logBeta(r, count));
      },
    };
  },
};

const logNormal: ComponentKind = {
  target: 'LogNormalOutput',
  name: 'log_normal',
  parameters: { loc: 'real', scale: 'positive' },
  isDiscrete: false,
  at: ({ loc = 0, scale = 0 }) => ({
    mean: Math.exp(loc + 0.5 * scale * scale),
    logDensity: (z) =>
      z <= 0
        ? Number.NEGATIVE_INFINITY
        : Math.log(normalDensity(0)) -
          0.5 * ((Math.log(z) - loc) / scale) ** 2 -
          Math.log(scale * z),
    cdf: (z) => (z <= 0 ? 0 : normalCdf((Math.log(z) - loc) / scale)),
  }),
};

const normal: ComponentKind = {
  ...normalFixedScale,
  target: 'NormalOutput',
  name: 'normal',
  parameters: { loc: 'real', scale: 'positive' },
};

const laplace: ComponentKind = {
  target: 'LaplaceOutput',
  name: 'laplace',
  parameters: { loc: 'real', scale: 'positive' },
  isDiscrete: false,
  at: ({ loc = 0, scale = 0 }) => ({
    mean: loc,
    logDensity: (z) => -Math.abs(z - loc) / scale - Math.log(2 * scale),
    cdf: (z) => {
      const tail = 0.5 * Math.exp(-Math.abs(z - loc) / scale);
      return z > loc ? 1 - tail : tail;
    },
  }),
};

const laplaceFixedScale: ComponentKind = {
  ...laplace,
  target: 'LaplaceFixedScaleOutput',
  name: 'laplace_fixed',
  parameters: { loc: 'real' },
};

/** All of its values are at least `scale`. */
const pareto: ComponentKind = {
  target: 'ParetoOutput',
  name: 'pareto',
  parameters: { scale: 'positive', alpha: 'above two' },
  isDiscrete: false,
  at: ({ scale = 0, alpha = 0 }) => ({
    mean: alpha > 1 ? (alpha * scale) / (alpha - 1) : Number.POSITIVE_INFINITY,
    logDensity: (z) =>
      z < scale
        ? Number.NEGATIVE_INFINITY
        : Math.log(alpha) + alpha * Math.log(scale) - (alpha + 1) * Math.log(z),
    cdf: (z) => (z <= scale ? 0 : 1 - (scale / z) ** alpha),
  }),
};

const paretoFixedAlpha: ComponentKind = {
  ...pareto,
  target: 'ParetoFixedAlphaOutput',
  name: 'pareto_fixed',
  parameters: { scale: 'positive' },
};

export const COMPONENT_KINDS: readonly ComponentKind[] = [
  studentT,
  normal,
  normalFixedScale,
  laplace,
  laplaceFixedScale,
  negativeBinomial,
  logNormal,
  pareto,
  paretoFixedAlpha,
];

/** The kind behind a `_target_`, whatever module it is imported from. */
export const componentKindOf = (target: string): ComponentKind | undefined =>
  COMPONENT_KINDS.find((kind) => target.endsWith(`.${kind.target}`));
