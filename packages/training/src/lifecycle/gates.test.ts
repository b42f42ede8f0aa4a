import { describe, expect, test } from 'vitest';
import {
  contributionGate,
  FAST_GATE_LIMITS,
  gradientGate,
  impactGate,
  interfaceGate,
  resetGate,
  sanityGate,
  stabilityGate,
} from './gates.ts';

const SANE = {
  seedId: 'seed-1',
  blueprint: 'lora-r4-qv',
  isSlotEmpty: true,
  areParametersFinite: true,
  doShapesFit: true,
  isPrefetched: true,
  isChecksumRight: true,
  parametersAfter: 10,
  parameterBudget: 10,
  isEmbargoed: false,
};

const STABLE = {
  epochsTrained: 1,
  improvement: 0.005,
  gradientRatio: 0.1,
  gradientHealth: 0.7,
  hasExploded: false,
  stepLatencyMs: 5,
  stepBudgetMs: 5,
};

const BLENDED = {
  alpha: 1,
  alphaTarget: 1,
  isHolding: true,
  epochsBlending: 10,
  missingLayers: [],
};

const CONTRIBUTES = {
  contribution: 0.01,
  totalImprovement: 0.02,
  gradientHealth: 1,
  hasExploded: false,
};

test('each gate passes on its bounds', () => {
  expect(sanityGate(SANE).passed).toBe(true);
  expect(stabilityGate(STABLE).passed).toBe(true);
  expect(interfaceGate(BLENDED).passed).toBe(true);
  expect(contributionGate(CONTRIBUTES).passed).toBe(true);
  expect(
    impactGate({ isFallbackActive: false, isPerformanceNominal: true, isolationViolations: 0 }),
  ).toMatchObject({ passed: true, score: 1, message: 'G4 passed' });
});

test('a gate lists every failed check', () => {
  expect(
    sanityGate({ ...SANE, seedId: '', isSlotEmpty: false, parametersAfter: 11, isEmbargoed: true }),
  ).toEqual({
    gate: 'G0',
    passed: false,
    score: 5 / 9,
    checks_passed: [
      'blueprint_present',
      'parameters_finite',
      'shapes_fit',
      'adapter_prefetched',
      'checksum_right',
    ],
    checks_failed: ['seed_id_present', 'slot_empty', 'parameter_budget_kept', 'no_embargo'],
    message: 'G0 failed: seed_id_present, slot_empty, parameter_budget_kept, no_embargo',
  });
});

describe('what was not measured does not pass', () => {
  test.each([
    ['improvement', { ...STABLE, improvement: undefined }, 'improved'],
    ['gradient ratio', { ...STABLE, gradientRatio: undefined }, 'gradient_ratio'],
    ['NaN improvement', { ...STABLE, improvement: Number.NaN }, 'improved'],
  ])('%s', (_, evidence, check) => {
    expect(stabilityGate(evidence).checks_failed).toEqual([check]);
  });

  test('counterfactual', () => {
    expect(contributionGate({ ...CONTRIBUTES, contribution: undefined }).checks_failed).toEqual([
      'counterfactual_measured',
      'contributes',
    ]);
  });
});

test('a seed that the host came to depend on while the loss rose is ransomware', () => {
  const evidence = { ...CONTRIBUTES, contribution: 0.3, totalImprovement: -0.01 };
  expect(contributionGate(evidence).checks_failed).toEqual(['not_ransomware']);
  expect(contributionGate({ ...evidence, contribution: 0.1 }).passed).toBe(true);
});

test('the interface gate waits for alpha and for its epochs', () => {
  expect(interfaceGate({ ...BLENDED, alpha: 0.9999, isHolding: false }).checks_failed).toEqual([
    'alpha_reached',
    'alpha_held',
  ]);
  const early = { ...BLENDED, epochsBlending: 5 };
  expect(interfaceGate(early).checks_failed).toEqual(['blended_enough']);
  expect(interfaceGate(early, FAST_GATE_LIMITS).passed).toBe(true);
});

test('one violation of isolation fails G1 and G4', () => {
  expect(
    gradientGate({ isKernelAttached: true, areSeedGradientsFinite: true, isolationViolations: 1 }),
  ).toMatchObject({ checks_failed: ['no_isolation_violation'] });
  expect(
    impactGate({ isFallbackActive: false, isPerformanceNominal: true, isolationViolations: 1 })
      .passed,
  ).toBe(false);
});

test('a slot is reset when nothing of the old seed is left', () => {
  expect(resetGate({ weights: 0, moments: 0, cached: 0, telemetry: 0 }).passed).toBe(true);
  expect(resetGate({ weights: 0, moments: 2, cached: 0, telemetry: 1 }).checks_failed).toEqual([
    'no_moments',
    'no_telemetry',
  ]);
});
