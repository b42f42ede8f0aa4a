/** What a policy may look at: the run at the end of an epoch. */
import type { Stage } from './stages.ts';

export interface SeedState {
  readonly id: string;
  readonly slot: string;
  readonly blueprint: string;
  readonly stage: Stage;
  readonly epochsInStage: number;
  readonly alpha: number;
  /** Where the running ramp ends; equal to alpha when none runs. */
  readonly alphaTarget: number;
  /** Relative fall of the validation loss since the stage began; negative when it rose. */
  readonly improvement: number;
  /** (validation loss with the seed off - on) / off; undefined until it is measured. */
  readonly contribution: number | undefined;
  /** Norm of the seed's gradient over the host's; undefined before the first step. */
  readonly gradientRatio: number | undefined;
  /** Share of the seed's recent steps with finite gradients that neither vanish nor explode. */
  readonly gradientHealth: number;
  readonly isolationViolations: number;
}

export interface SlotState {
  readonly name: string;
  /** undefined when the slot is dormant. */
  readonly seed: SeedState | undefined;
}

export interface RunState {
  readonly runId: string;
  readonly epoch: number;
  readonly epochs: number;
  readonly trainLoss: number;
  /** NaN when it was not finite: vetting refuses whatever a policy concludes from it. */
  readonly validationLoss: number;
  /** Of the epochs so far, oldest first, this one included. */
  readonly validationLosses: readonly number[];
  readonly slots: readonly SlotState[];
  readonly parametersUsed: number;
  readonly parameterBudget: number;
  /** Epochs since the last cull; undefined when there was none. */
  readonly epochsSinceCull: number | undefined;
}
