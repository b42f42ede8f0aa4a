import type { Tensor } from '../node.ts';

/** A value and the gradient that arrives at it. */
export interface Cotangent {
  readonly output: Tensor;
  readonly gradient: Tensor;
}

/** Gradients of `wrt` where those of some outputs are given, as `pullBack` of gradient.ts says. */
export type PullBack = (
  cotangents: readonly Cotangent[],
  wrt: readonly Tensor[],
) => readonly (Tensor | undefined)[];
