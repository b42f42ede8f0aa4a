import { describe, expect, test } from 'vitest';
import type { Panel } from '../frame/panel.ts';
import { ModelPool } from '../pool/model-pool.ts';
import { parseTaskSpec } from '../task/task-spec.ts';
import { fakeBackend } from '../testing/fake-backend.ts';
import { makePlan, planGraph } from './plan.ts';

const panelOf = (target: readonly number[], season = 7): Panel => ({
  freq: 'D',
  season,
  series: [
    {
      id: 'a',
      timestamps: target.map((_, t) => String(t)),
      target: Float64Array.from(target),
      past: {},
      future: {},
      statics: {},
    },
  ],
});

const uses = { statics: false, past: false, futureKnown: false };
const spec = parseTaskSpec({ h: 2 });
const planOf = (panel: Panel, own = spec, pool?: ModelPool) =>
  makePlan({ panel, spec: own, pool, uses });

const noisy = Array.from({ length: 100 }, (_, t) => 5 + Math.sin(t * t));
const pool = new ModelPool({ adapters: ['one', 'two'], backend: fakeBackend() });

describe('buckets decide the base candidates', () => {
  test.each([
    ['plain', noisy, [], ['SeasonalNaive', 'HistoricAverage', 'Naive']],
    ['short', noisy.slice(0, 55), ['short_history'], ['HistoricAverage', 'Naive']],
    [
      'intermittent',
      Array.from({ length: 100 }, (_, t) => (t % 3 === 0 ? (t % 2 === 0 ? 1 : 20) : 0)),
      ['intermittent'],
      ['Croston', 'Naive'],
    ],
    [
      'seasonal',
      Array.from({ length: 100 }, (_, t) => t % 7),
      ['seasonal_candidate'],
      ['SeasonalNaive', 'HistoricAverage', 'Naive'],
    ],
    [
      'sparse',
      noisy.map((value, t) => (t % 5 === 1 ? Number.NaN : value)),
      ['sparse'],
      ['SeasonalNaive', 'HistoricAverage', 'Naive'],
    ],
  ] as const)('%s', (_name, values, buckets, candidates) => {
    const { plan, route } = planOf(panelOf(values));
    expect(route.buckets).toEqual(buckets);
    expect(plan.candidate_models).toEqual(candidates);
  });
});

test('a policy that forbids baselines has none, preferred or required', () => {
  const own = (mode: string) =>
    parseTaskSpec({ h: 2, tsfm_policy: { mode, allow_non_tsfm_fallback: false } });
  for (const mode of ['preferred', 'required']) {
    expect(planOf(panelOf(noisy), own(mode), pool).plan).toMatchObject({
      candidate_models: ['tsfm-one', 'tsfm-two'],
      allow_baseline: false,
    });
    expect(() => planOf(panelOf(noisy), own(mode))).toThrow(/E_TSFM_REQUIRED_UNAVAILABLE/);
  }
  expect(planOf(panelOf(noisy), own('disabled'), pool).plan.allow_baseline).toBe(true);
});

test('foundation models come first, in the policy order', () => {
  const own = parseTaskSpec({ h: 2, tsfm_preference: ['two', 'none', 'one'] });
  const { plan, route } = planOf(panelOf(noisy), own, pool);
  expect(plan.candidate_models.slice(0, 3)).toEqual(['tsfm-two', 'tsfm-one', 'SeasonalNaive']);
  expect(route.unavailable).toEqual({ none: 'adapter_not_configured' });
});

test('required: only those; disabled: none', () => {
  const modes = ['required', 'disabled'].map((mode) =>
    planOf(panelOf(noisy), parseTaskSpec({ h: 2, tsfm: { mode } }), pool),
  );
  expect(modes[0]!.plan.candidate_models).toEqual(['tsfm-one', 'tsfm-two']);
  expect(modes[0]!.plan.allow_baseline).toBe(false);
  expect(modes[1]!.plan.candidate_models[0]).toBe('SeasonalNaive');
});

test('past 5000 points all foundation models are blocked', () => {
  const long = panelOf(Array.from({ length: 5001 }, (_, t) => Math.sin(t * t)));
  expect(planOf(long, spec, pool).route.unavailable).toEqual({
    one: 'routing_guardrail_blocked',
    two: 'routing_guardrail_blocked',
  });
  const required = parseTaskSpec({ h: 2, require_tsfm: true });
  expect(() => planOf(long, required, pool)).toThrow(
    expect.objectContaining({
      code: 'E_TSFM_REQUIRED_UNAVAILABLE',
      context: expect.objectContaining({ allowed_by_guardrail: false }),
    }),
  );
});

test('the graph goes down the candidates', () => {
  const { plan } = planOf(panelOf(noisy.slice(0, 55)));
  expect(planGraph(plan, true).map(({ id }) => id)).toEqual([
    ...['validate', 'qa', 'align_covariates', 'build_dataset', 'make_plan', 'backtest'],
    ...['fit_0', 'predict_0', 'fit_1', 'predict_1', 'package'],
  ]);
});
