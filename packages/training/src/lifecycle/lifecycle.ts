/** One slot's place in the life of a seed: moves along the table's edges, through their gates, or not at all. */
import { TollamaError } from '@tollama/core/errors';
import { type Edge, edgeBetween, type Gate, type Stage, stagesAfter } from '../contracts/stages.ts';
import type { GateResult } from './gates.ts';

export interface Transition {
  readonly from: Stage;
  readonly to: Stage;
  readonly epoch: number;
  /** Why: of a cull the policy's or the governor's reason. */
  readonly reason: string | undefined;
  readonly gates: readonly GateResult[];
}

export type MoveResult =
  | { readonly kind: 'moved'; readonly transition: Transition }
  /** A gate did not pass; the stage is what it was. */
  | { readonly kind: 'held'; readonly gates: readonly GateResult[] };

export interface MoveOptions {
  readonly epoch: number;
  readonly reason?: string;
  /** Judges the gates of the edge; each must have a result. Not asked for where the edge has none. */
  readonly judge?: (gate: Gate) => GateResult;
}

export interface LifecycleState {
  readonly stage: Stage;
  readonly enteredEpoch: number;
}

/** @throws TollamaError INVALID_REQUEST when the table has no such edge */
export const requireEdge = (from: Stage, to: Stage): Edge => {
  const found = edgeBetween(from, to);
  if (found) return found;
  const next = stagesAfter(from);
  throw new TollamaError('INVALID_REQUEST', `a seed cannot go from ${from} to ${to}`, {
    hint: next.length === 0 ? `${from} is the end of its life` : `next is ${next.join(' or ')}`,
    data: { from, to, allowed: next },
  });
};

const requireReason = (to: Stage, reason: string | undefined): void => {
  if (to !== 'CULLED' || (reason !== undefined && reason !== '')) return;
  throw new TollamaError('INVALID_REQUEST', 'a cull without a reason', {
    hint: 'say why: it is what the policy learns from',
  });
};

/** A refused or held move changes nothing. */
export class Lifecycle {
  #stage: Stage = 'DORMANT';
  #enteredEpoch = 0;

  get stage(): Stage {
    return this.#stage;
  }

  get enteredEpoch(): number {
    return this.#enteredEpoch;
  }

  /**
   * Moves when every gate of the edge passes.
   * @throws TollamaError INVALID_REQUEST for an edge that does not exist, a cull without reason, or a gate that
   *   nobody judges
   */
  move(to: Stage, { epoch, reason, judge }: MoveOptions): MoveResult {
    const edge = requireEdge(this.#stage, to);
    requireReason(to, reason);
    const gates = edge.gates.map((gate) => {
      if (judge) return judge(gate);
      throw new TollamaError('INVALID_REQUEST', `gate ${gate} before ${to} was not judged`, {
        hint: 'bring the evidence of the gate with the move',
      });
    });
    if (gates.some(({ passed }) => !passed)) return { kind: 'held', gates };
    const transition = { from: this.#stage, to, epoch, reason, gates };
    this.#stage = to;
    this.#enteredEpoch = epoch;
    return { kind: 'moved', transition };
  }

  state(): LifecycleState {
    return { stage: this.#stage, enteredEpoch: this.#enteredEpoch };
  }

  load({ stage, enteredEpoch }: LifecycleState): void {
    this.#stage = stage;
    this.#enteredEpoch = enteredEpoch;
  }
}
