/** A policy that fails by plan, in earnest: what never answers does hang, what is late comes after its deadline. */
import type { Command } from '../../contracts/commands.ts';
import type { RunState } from '../../contracts/run-state.ts';
import { HeuristicPolicy } from '../../policy/heuristic.ts';
import type { Policy } from '../../policy/policy.ts';
import { isInjected } from '../options.ts';
import { sleep } from '../stall.ts';

export const FAULTS = ['hangs', 'answers late', 'throws'] as const;
export type Fault = (typeof FAULTS)[number];

/** How long after its deadline a late answer comes. */
export const LATE_BY_MS = 30;
const SLOW_MS = 70;

export interface FaultyPolicyOptions {
  /** By call. */
  readonly plan: readonly (Fault | undefined)[];
  readonly deadlineMs: number;
  readonly inject: string | undefined;
}

export class FaultyPolicy implements Policy {
  readonly name = 'faulty';
  readonly injected: Record<Fault, number> = { hangs: 0, 'answers late': 0, throws: 0 };
  readonly lateIds: string[] = [];
  /** No faults any more. */
  isRecovering = false;
  readonly #inner = new HeuristicPolicy();
  readonly #options: FaultyPolicyOptions;
  #calls = 0;

  constructor(options: FaultyPolicyOptions) {
    this.#options = options;
  }

  async evaluate(state: RunState, signal: AbortSignal): Promise<Command> {
    const { plan, inject, deadlineMs } = this.#options;
    const fault = this.isRecovering ? undefined : plan[this.#calls++];
    if (isInjected({ inject }, 'slow-policy')) await sleep(SLOW_MS);
    if (!fault) return this.#inner.evaluate(state);
    this.injected[fault]++;
    if (isInjected({ inject }, 'uncounted-timeout')) return this.#inner.evaluate(state);
    switch (fault) {
      case 'hangs':
        return new Promise(() => {});
      case 'throws':
        throw new Error('injected');
      case 'answers late': {
        await sleep(deadlineMs + LATE_BY_MS);
        const command = await this.#inner.evaluate(state);
        if (signal.aborted) this.lateIds.push(command.command_id);
        return command;
      }
    }
  }

  state(): unknown {
    return this.#inner.state();
  }

  load(state: unknown): void {
    this.#inner.load(state);
  }
}
