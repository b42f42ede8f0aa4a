/** Tamiyo's seam: looks at a run once an epoch and answers with one command. */
import type { Command, Intent } from '../contracts/commands.ts';
import type { RunState } from '../contracts/run-state.ts';

export interface Policy {
  readonly name: string;
  /** May take its time and may throw: whoever asks keeps a deadline, and aborts the signal when it is over. */
  evaluate(state: RunState, signal: AbortSignal): Promise<Command>;
  /** What a snapshot must hold so that the policy goes on as it would have. */
  state(): unknown;
  load(state: unknown): void;
}

/** Gives an intent its identity; the same run, epoch and number give the same id. */
export const issue = (
  intent: Intent,
  { runId, epoch }: RunState,
  issuedAtMs: number,
  number = 0,
): Command => ({
  ...intent,
  command_id: `${runId}/${epoch}/${number}`,
  issued_at: issuedAtMs,
  epoch,
});
