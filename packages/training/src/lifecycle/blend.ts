/** Which operator joins a seed to its host at each stage, and how much of the gradient each then gets. */
import type { Stage } from '../contracts/stages.ts';

export const BLEND_OPERATORS = [
  'straight-through',
  'convex',
  'residual',
  'multiply',
  'gate',
] as const;
export type BlendOperator = (typeof BLEND_OPERATORS)[number];

export interface BlendPlan {
  readonly operator: BlendOperator | 'none';
  /** The seed reads its input through a stop-gradient. */
  readonly isIsolated: boolean;
}

/**
 * The plan of a stage. Isolation ends with HOLDING under the convex operator, whose host would get (1 - alpha) = 0
 * of its gradient and stop to learn; the residual operator, natural for adapters, leaves the host its whole gradient
 * and stays isolated up to FOSSILIZED, which always trains with the open path.
 */
export const blendPlan = (
  stage: Stage,
  operator: Exclude<BlendOperator, 'straight-through'> = 'residual',
): BlendPlan => {
  switch (stage) {
    case 'TRAINING':
      return { operator: 'straight-through', isIsolated: true };
    case 'BLENDING':
      return { operator, isIsolated: true };
    case 'HOLDING':
      return { operator, isIsolated: operator === 'residual' };
    case 'FOSSILIZED':
      return { operator, isIsolated: false };
    default:
      return { operator: 'none', isIsolated: true };
  }
};

export interface BlendPoint {
  readonly host: number;
  readonly seed: number;
  readonly alpha: number;
  /** Of the gate operator, for this sample. */
  readonly gate?: number;
}

export interface BlendResult {
  readonly value: number;
  /** dy/dhost along the direct path, the seed's input detached. */
  readonly hostFactor: number;
  readonly seedFactor: number;
}

/** The operators at one point, as the specification's table has them; graphs are held to it by tests. */
export const blendAt = (
  operator: BlendOperator,
  { host, seed, alpha, gate = 1 }: BlendPoint,
): BlendResult => {
  const bend = Math.tanh(seed - host);
  switch (operator) {
    case 'straight-through':
      return { value: host, hostFactor: 1, seedFactor: 1 };
    case 'convex':
      return { value: host + alpha * (seed - host), hostFactor: 1 - alpha, seedFactor: alpha };
    case 'residual':
      return { value: host + alpha * seed, hostFactor: 1, seedFactor: alpha };
    case 'multiply':
      return {
        value: host * (1 + alpha * bend),
        hostFactor: 1 + alpha * bend,
        seedFactor: alpha * host * (1 - bend * bend),
      };
    case 'gate':
      return {
        value: host + alpha * gate * (seed - host),
        hostFactor: 1 - alpha * gate,
        seedFactor: alpha * gate,
      };
  }
};
