/** The gates of a seed's life. Each is strict: it lists every check that failed, not just the first. */
import type { Gate } from '../contracts/stages.ts';

/** One verdict, as it goes into events and recordings. */
export interface GateResult {
  readonly gate: Gate;
  readonly passed: boolean;
  /** Share of the checks that passed. */
  readonly score: number;
  readonly checks_passed: readonly string[];
  readonly checks_failed: readonly string[];
  readonly message: string;
}

export interface GateLimits {
  /** G2: relative improvement over the start of the stage. */
  readonly minImprovement: number;
  /** G2: norm of the seed's gradient over the host's. */
  readonly minGradientRatio: number;
  /** G2, G5: share of healthy steps. */
  readonly minGradientHealth: number;
  readonly minTrainingEpochs: number;
  /** G3; the fast preset has 5. */
  readonly minBlendingEpochs: number;
  /** G5: relative counterfactual. */
  readonly minContribution: number;
  readonly embargoEpochs: number;
}

export const GATE_LIMITS: GateLimits = {
  minImprovement: 0.005,
  minGradientRatio: 0.1,
  minGradientHealth: 0.7,
  minTrainingEpochs: 1,
  minBlendingEpochs: 10,
  minContribution: 0.01,
  embargoEpochs: 5,
};

export const FAST_GATE_LIMITS: GateLimits = { ...GATE_LIMITS, minBlendingEpochs: 5 };

/** A contribution above this beside a loss that got worse: the host came to depend on the seed. */
const RANSOM_CONTRIBUTION = 0.1;

export interface SanityEvidence {
  readonly seedId: string;
  readonly blueprint: string;
  readonly isSlotEmpty: boolean;
  readonly areParametersFinite: boolean;
  readonly doShapesFit: boolean;
  readonly isPrefetched: boolean;
  readonly isChecksumRight: boolean;
  readonly parametersAfter: number;
  readonly parameterBudget: number;
  readonly isEmbargoed: boolean;
}

export interface GradientEvidence {
  readonly isKernelAttached: boolean;
  readonly areSeedGradientsFinite: boolean;
  readonly isolationViolations: number;
}

export interface StabilityEvidence {
  readonly epochsTrained: number;
  /** Relative, since the stage began; undefined when no epoch was validated. */
  readonly improvement: number | undefined;
  readonly gradientRatio: number | undefined;
  readonly gradientHealth: number;
  readonly hasExploded: boolean;
  readonly stepLatencyMs: number;
  readonly stepBudgetMs: number;
}

export interface InterfaceEvidence {
  readonly alpha: number;
  readonly alphaTarget: number;
  readonly isHolding: boolean;
  readonly epochsBlending: number;
  readonly missingLayers: readonly string[];
}

export interface ImpactEvidence {
  readonly isFallbackActive: boolean;
  readonly isPerformanceNominal: boolean;
  readonly isolationViolations: number;
}

export interface ContributionEvidence {
  /** (validation loss off - on) / off; undefined when it was not measured. */
  readonly contribution: number | undefined;
  /** Relative, since the seed germinated. */
  readonly totalImprovement: number;
  readonly gradientHealth: number;
  readonly hasExploded: boolean;
}

export interface ResetEvidence {
  readonly weights: number;
  readonly moments: number;
  readonly cached: number;
  readonly telemetry: number;
}

type Checks = Readonly<Record<string, boolean>>;

const judge = (gate: Gate, checks: Checks): GateResult => {
  const names = Object.keys(checks);
  const failed = names.filter((name) => !checks[name]);
  return {
    gate,
    passed: failed.length === 0,
    score: names.length === 0 ? 1 : (names.length - failed.length) / names.length,
    checks_passed: names.filter((name) => checks[name]),
    checks_failed: failed,
    message: failed.length === 0 ? `${gate} passed` : `${gate} failed: ${failed.join(', ')}`,
  };
};

export const sanityGate = (evidence: SanityEvidence): GateResult =>
  judge('G0', {
    seed_id_present: evidence.seedId !== '',
    blueprint_present: evidence.blueprint !== '',
    slot_empty: evidence.isSlotEmpty,
    parameters_finite: evidence.areParametersFinite,
    shapes_fit: evidence.doShapesFit,
    adapter_prefetched: evidence.isPrefetched,
    checksum_right: evidence.isChecksumRight,
    parameter_budget_kept: evidence.parametersAfter <= evidence.parameterBudget,
    no_embargo: !evidence.isEmbargoed,
  });

export const gradientGate = (evidence: GradientEvidence): GateResult =>
  judge('G1', {
    kernel_attached: evidence.isKernelAttached,
    seed_gradients_finite: evidence.areSeedGradientsFinite,
    no_isolation_violation: evidence.isolationViolations === 0,
  });

/** A comparison with something that was not measured fails. */
const atLeast = (value: number | undefined, limit: number): boolean =>
  value !== undefined && value >= limit;

export const stabilityGate = (
  evidence: StabilityEvidence,
  limits: GateLimits = GATE_LIMITS,
): GateResult =>
  judge('G2', {
    trained_enough: evidence.epochsTrained >= limits.minTrainingEpochs,
    improved: atLeast(evidence.improvement, limits.minImprovement),
    gradient_ratio: atLeast(evidence.gradientRatio, limits.minGradientRatio),
    gradient_health: evidence.gradientHealth >= limits.minGradientHealth,
    none_exploding: !evidence.hasExploded,
    step_within_budget: evidence.stepLatencyMs <= evidence.stepBudgetMs,
  });

export const interfaceGate = (
  evidence: InterfaceEvidence,
  limits: GateLimits = GATE_LIMITS,
): GateResult =>
  judge('G3', {
    alpha_target_is_1: evidence.alphaTarget === 1,
    alpha_reached: evidence.alpha === 1,
    alpha_held: evidence.isHolding,
    blended_enough: evidence.epochsBlending >= limits.minBlendingEpochs,
    layers_present: evidence.missingLayers.length === 0,
  });

export const impactGate = (evidence: ImpactEvidence): GateResult =>
  judge('G4', {
    no_fallback_kernel: !evidence.isFallbackActive,
    performance_nominal: evidence.isPerformanceNominal,
    no_isolation_violation: evidence.isolationViolations === 0,
  });

export const contributionGate = (
  evidence: ContributionEvidence,
  limits: GateLimits = GATE_LIMITS,
): GateResult => {
  const { contribution, totalImprovement } = evidence;
  const isRansom = (contribution ?? 0) > RANSOM_CONTRIBUTION && totalImprovement < 0;
  return judge('G5', {
    counterfactual_measured: contribution !== undefined,
    contributes: atLeast(contribution, limits.minContribution),
    healthy: evidence.gradientHealth >= limits.minGradientHealth && !evidence.hasExploded,
    not_ransomware: !isRansom,
  });
};

export const resetGate = (evidence: ResetEvidence): GateResult =>
  judge('G5r', {
    no_weights: evidence.weights === 0,
    no_moments: evidence.moments === 0,
    no_cache: evidence.cached === 0,
    no_telemetry: evidence.telemetry === 0,
  });
