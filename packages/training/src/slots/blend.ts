/** How what a seed gives joins what the host gives (spec/training.md, section 5). */
import { add, mul, stopGradient, sub, type Tensor, tanh } from '@tollama/graph';

export type BlendKind = 'straight-through' | 'convex' | 'residual' | 'multiply' | 'gate';

export interface BlendOptions {
  /** Scalar; unused by 'straight-through'. */
  readonly alpha: Tensor;
  /** In [0, 1], a value a sample; 'gate' needs it. */
  readonly gate?: Tensor;
  /** Ends the host's own gradient here. */
  readonly detachHost?: boolean;
}

/** h + a (s - h) */
const convex = (host: Tensor, seed: Tensor, alpha: Tensor): Tensor =>
  add(host, mul(alpha, sub(seed, host)));

/**
 * @param host h, what goes on without the seed
 * @param seed s, of the same shape
 */
export const blend = (
  kind: BlendKind,
  host: Tensor,
  seed: Tensor,
  { alpha, gate, detachHost = false }: BlendOptions,
): Tensor => {
  const h = detachHost ? stopGradient(host) : host;
  switch (kind) {
    case 'straight-through':
      // s - s is 0 whatever s is, as long as it is finite: the host's value to the last bit.
      return add(h, sub(seed, stopGradient(seed)));
    case 'convex':
      return convex(h, seed, alpha);
    case 'residual':
      return add(h, mul(alpha, seed));
    case 'multiply':
      return mul(h, add(mul(alpha, tanh(sub(seed, stopGradient(h)))), 1));
    case 'gate':
      return convex(h, seed, gate ? mul(alpha, gate) : alpha);
  }
};
