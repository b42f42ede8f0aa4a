/** Probabilities and their log odds. */

/** ln(p / (1 - p)) of p clamped to [eps, 1 - eps]; eps in (0, 0.5). */
export const logit = (probability: number, eps: number): number => {
  const p = Math.min(1 - eps, Math.max(eps, probability));
  return Math.log(p / (1 - p));
};

/** 1 / (1 + e^-z), in the form that overflows for no z. */
export const inverseLogit = (z: number): number => {
  if (z >= 0) return 1 / (1 + Math.exp(-z));
  const e = Math.exp(z);
  return e / (1 + e);
};

export const clipToUnit = (value: number): number => Math.max(0, Math.min(1, value));
