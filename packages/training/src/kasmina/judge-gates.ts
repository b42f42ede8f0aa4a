/** The evidence of a seed, brought before its gates. */
import { assertNever } from '@tollama/core/errors';
import type { CommandOutcome } from '../contracts/outcomes.ts';
import type { Gate } from '../contracts/stages.ts';
import {
  contributionGate,
  type GateLimits,
  type GateResult,
  gradientGate,
  impactGate,
  interfaceGate,
  stabilityGate,
} from '../lifecycle/gates.ts';
import type { SeedLife } from './seed-life.ts';

export interface StepEvidence {
  readonly epoch: number;
  readonly stepLatencyMs: number;
  readonly stepBudgetMs: number;
  readonly areGradientsFinite: boolean;
}

/** G0 and G5r are judged where their evidence is: at germination, and when a slot is reset. */
export const gateOf = (
  gate: Gate,
  life: SeedLife,
  { epoch, stepLatencyMs, stepBudgetMs, areGradientsFinite }: StepEvidence,
  limits: GateLimits,
): GateResult => {
  const { gradientHealth, hasExploded, violationsInEpoch } = life;
  const epochs = epoch - life.lifecycle.enteredEpoch;
  switch (gate) {
    case 'G1':
      return gradientGate({
        isKernelAttached: life.lease !== undefined,
        areSeedGradientsFinite: areGradientsFinite,
        isolationViolations: violationsInEpoch,
      });
    case 'G2':
      return stabilityGate(
        {
          epochsTrained: epochs,
          improvement: life.improvement,
          gradientRatio: life.gradientRatio,
          gradientHealth,
          hasExploded,
          stepLatencyMs,
          stepBudgetMs,
        },
        limits,
      );
    case 'G3':
      return interfaceGate(
        {
          alpha: life.alpha.alpha,
          alphaTarget: life.alpha.target,
          isHolding: life.alpha.isHolding,
          epochsBlending: epochs,
          missingLayers: [],
        },
        limits,
      );
    case 'G4':
      return impactGate({
        isFallbackActive: life.lease === undefined,
        isPerformanceNominal: stepLatencyMs <= stepBudgetMs,
        isolationViolations: violationsInEpoch,
      });
    case 'G5':
      return contributionGate(
        {
          contribution: life.contribution,
          totalImprovement: life.totalImprovement ?? 0,
          gradientHealth,
          hasExploded,
        },
        limits,
      );
    case 'G0':
    case 'G5r':
      return assertNever(gate as never);
  }
};

export const summaryOf = (gates: readonly GateResult[]): CommandOutcome => ({
  status: 'held',
  message: gates
    .filter(({ passed }) => !passed)
    .map(({ message }) => message)
    .join('; '),
  checks_failed: gates.flatMap(({ checks_failed }) => checks_failed),
});
