import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  exampleBody,
  exampleSeries,
  startTestDaemon,
  type TestDaemon,
} from '../testing/test-daemon.ts';

let at: TestDaemon;
beforeAll(async () => {
  at = await startTestDaemon();
  await at.call('POST', '/api/pull', { model: 'mock', stream: false });
});
afterAll(() => at[Symbol.asyncDispose]());

interface Forecasts {
  readonly model: string;
  readonly forecasts: {
    readonly id: string;
    readonly mean: number[];
    readonly quantiles: Record<string, number[]>;
    readonly start_timestamp: string;
  }[];
}

interface Node {
  readonly node_id: string;
  readonly depth: number;
  readonly value: number;
  readonly probability: number;
}

/** What the answers of these routes hold, as far as the tests look. */
interface Answer extends Forecasts {
  readonly baseline: Forecasts;
  readonly results: { readonly response: Forecasts | null; readonly error: unknown }[];
  readonly summary: unknown;
  readonly depth: number;
  readonly nodes: Node[];
  readonly warnings: string[];
  readonly narrative: {
    readonly series: { readonly summary: string }[];
    readonly key_insights: string[];
  };
  readonly generated: { readonly id: string }[];
  readonly recommendation: { readonly recommendations: { readonly family: string }[] };
  readonly auto_forecast: { readonly selection: { readonly fallback_used: boolean } };
  readonly metrics: {
    readonly aggregate: { readonly mae: number };
    readonly series: { readonly id: string }[];
  };
  readonly calibration: { readonly series: unknown[] };
  readonly reconciliation: { readonly method: string };
}

const ask = async (path: string, body: object) => {
  const answer = await at.call('POST', path, body);
  return { status: answer.status, body: answer.body as Answer };
};

describe('what-if', () => {
  const scenario = (transform: object, name = 'x') => ({ name, transforms: [transform] });
  const price = { ...exampleSeries(), past_covariates: { price: [1, 2, 3, 4, 5] } };

  test('changes are made one after the other, the baseline stays', async () => {
    const transforms = [
      { operation: 'multiply', field: 'target', value: 2 },
      { operation: 'add', field: 'target', value: 1, series_id: 's' },
    ];
    const { body } = await ask('/api/what-if', {
      ...exampleBody(),
      scenarios: [
        { name: 'more', transforms },
        scenario({ operation: 'replace', field: 'target', value: 0 }, 'none'),
        scenario(
          { operation: 'add', field: 'past_covariates', key: 'price', value: 1 },
          'no price',
        ),
      ],
    });
    expect(body.baseline.forecasts[0]!.mean).toEqual([5, 5, 5]);
    expect(body.results.map(({ response }) => response !== null)).toEqual([true, true, false]);
    expect(body.results[0]!.response!.forecasts[0]!.mean).toEqual([11, 11, 11]);
    expect(body.results[1]!.response!.forecasts[0]!.mean).toEqual([0, 0, 0]);
    expect(body.results[2]!.error).toMatchObject({
      category: 'INVALID_SCENARIO',
      status_code: 400,
    });
    expect(body.summary).toEqual({ requested_scenarios: 3, succeeded: 2, failed: 1 });
  });

  test('the first failure may end it', async () => {
    const body = {
      ...exampleBody({ series: [price] }),
      continue_on_error: false,
      scenarios: [scenario({ operation: 'add', field: 'past_covariates', key: 'gone', value: 1 })],
    };
    expect((await ask('/api/what-if', body)).status).toBe(400);
  });

  test.each([
    { operation: 'multiply', field: 'target', value: 'x' },
    { operation: 'multiply', field: 'target', key: 'k', value: 1 },
    { operation: 'add', field: 'past_covariates', value: 1 },
    { operation: 'add', field: 'target', value: 1, series_id: 'nope' },
    { operation: 'divide', field: 'target', value: 1 },
  ])('refuses %j', async (transform) => {
    const body = { ...exampleBody(), scenarios: [scenario(transform)] };
    expect((await ask('/api/what-if', body)).status).toBe(400);
  });
});

describe('counterfactual', () => {
  test('what came against what would have', async () => {
    const series = [{ ...exampleSeries('s', 8), target: [5, 5, 5, 5, 5, 8, 8, 8] }];
    const { body } = await ask('/api/counterfactual', {
      model: 'mock',
      series,
      intervention_index: 5,
      intervention_label: 'campaign',
    });
    expect(body).toMatchObject({
      horizon: 3,
      intervention_index: 5,
      intervention_label: 'campaign',
    });
    expect(body.results[0]).toMatchObject({
      actual: [8, 8, 8],
      counterfactual: [5, 5, 5],
      delta: [3, 3, 3],
      mean_absolute_delta: 3,
      total_delta: 9,
      average_delta_pct: 60,
      direction: 'above_counterfactual',
      steps_outside_band: 3,
    });
    expect(body.baseline.forecasts[0]!.start_timestamp).toBe('2024-01-06');
  });

  test.each([{ intervention_index: 0 }, { intervention_index: 5 }, { horizon: 3 }])(
    'refuses %j',
    async (fields) => {
      const body = { model: 'mock', series: [exampleSeries()], intervention_index: 2, ...fields };
      expect((await ask('/api/counterfactual', body)).status).toBe(400);
    },
  );
});

describe('scenario tree', () => {
  const tree = (fields: object = {}) =>
    ask('/api/scenario-tree', {
      model: 'naive',
      horizon: 6,
      series: [exampleSeries('s', 20)],
      ...fields,
    });

  test('branches at the quantiles; probabilities of a level sum to 1', async () => {
    const { body } = await tree({ depth: 2 });
    expect(body.nodes).toHaveLength(1 + 3 + 9);
    expect(body.nodes[0]).toMatchObject({ parent_id: null, branch: 'root', value: 20, depth: 0 });
    for (const depth of [1, 2]) {
      const level = body.nodes.filter((node) => node.depth === depth);
      const sum = level.reduce((total, node) => total + node.probability, 0);
      expect(sum).toBeCloseTo(1, 9);
    }
    expect(body.nodes[1]).toMatchObject({ branch: 'q0.1', quantile: 0.1, parent_id: 'node_1' });
    expect(body.nodes[1]!.value).toBeLessThan(body.nodes[3]!.value);
    expect(new Set(body.nodes.map(({ node_id }) => node_id)).size).toBe(13);
  });

  test('a tree that would be too large ends with a whole level', async () => {
    const branch_quantiles = [0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9];
    const { body } = await tree({ model: 'mock', depth: 6, branch_quantiles });
    expect(body.depth).toBe(4);
    expect(body.nodes).toHaveLength(1 + 7 + 49 + 343 + 2401);
    expect(body.warnings[0]).toContain('ends at depth 4 of 6');
  });

  test.each([
    { depth: 7 },
    { depth: 0 },
    { depth: 3, horizon: 2 },
    { branch_quantiles: [0.5] },
    { branch_quantiles: [0.9, 0.1] },
  ])('refuses %j', async (fields) => expect((await tree(fields)).status).toBe(400));
});

describe('analyze and generate', () => {
  test('answers and tells of it', async () => {
    const { body } = await ask('/api/analyze', {
      series: [exampleSeries('s', 30)],
      response_options: { narrative: true },
    });
    expect(body.results[0]).toMatchObject({
      id: 's',
      detected_frequency: 'D',
      trend: { direction: 'up', slope: 1, r2: 1 },
      anomalies: [],
    });
    expect(body.narrative.series[0]!.summary).toContain("'s' goes up");
    const { body: made } = await ask('/api/generate', {
      series: [exampleSeries('s', 9)],
      count: 2,
      seed: 1,
    });
    expect(made.generated.map(({ id }) => id)).toEqual(['s_synthetic_1', 's_synthetic_2']);
  });
});

describe('pipeline and report', () => {
  const body = {
    horizon: 3,
    series: [{ ...exampleSeries('s', 30), actuals: [31, 32, 33] }],
    model: 'drift',
  };

  test('analysis, recommendation, forecast', async () => {
    const { body: answer } = await ask('/api/pipeline', {
      ...body,
      response_options: { narrative: true },
    });
    expect(answer).toMatchObject({
      analysis: { results: [{ id: 's' }], narrative: { series: [{ id: 's' }] } },
      pulled_model: null,
      auto_forecast: { selection: { chosen_model: 'drift' }, response: { model: 'drift' } },
      narrative: { chosen_model: 'drift' },
    });
    const { recommendations } = answer.recommendation;
    expect(recommendations).toHaveLength(3);
    expect(recommendations.map(({ family }) => family)).not.toContain('mock');
  });

  test('a model that cannot be pulled is a warning', async () => {
    const fields = { model: 'nope', pull_if_missing: true, allow_fallback: true };
    const { body: answer } = await ask('/api/pipeline', { ...body, ...fields });
    expect(answer.warnings[0]).toContain("'nope' could not be pulled (404)");
    expect(answer.auto_forecast.selection.fallback_used).toBe(true);
  });

  test('a report has a baseline to compare with', async () => {
    const { body: answer } = await ask('/api/report', {
      ...body,
      parameters: { metrics: { names: ['mae'] } },
      response_options: { narrative: true },
    });
    expect(answer.baseline.model).toBe('seasonal-naive');
    expect(answer.metrics.aggregate.mae).toBeCloseTo(0, 9);
    expect(answer.narrative.key_insights[0]).toBe("mae is 100% below the seasonal-naive's");
    const plain = await ask('/api/report', { ...body, include_baseline: false });
    expect(plain.body.baseline).toBeNull();
  });
});

describe('conformal and reconcile', () => {
  const given = (mean: number[], id = 's') => ({ id, freq: 'D', start_timestamp: 'x', mean });

  test('a given forecast gets an interval from given errors', async () => {
    const { body } = await ask('/api/conformal', {
      forecast: { model: 'm', forecasts: [given([10, 20])], usage: { any: 1 } },
      actuals: Array.from({ length: 9 }, (_, i) => i + 1),
      predictions: Array<number>(9).fill(0),
    });
    expect(body.forecasts[0]!.quantiles).toEqual({ '0.05': [1, 11], '0.95': [19, 29] });
    expect(body).toMatchObject({ usage: { any: 1 }, warnings: null });
  });

  test('a model is calibrated by its own backtests', async () => {
    const target = Array.from({ length: 60 }, (_, i) => 10 + (i % 3));
    const { body } = await ask('/api/conformal', {
      model: 'mock',
      horizon: 2,
      quantiles: [0.5],
      series: [{ ...exampleSeries('s', 60), target }],
      coverage: 0.8,
    });
    expect(Object.keys(body.forecasts[0]!.quantiles)).toEqual(['0.1', '0.5', '0.9']);
    expect(body.calibration.series[0]).toMatchObject({ id: 's', windows: 10, by_step: true });
    expect(body.forecasts[0]!.quantiles['0.9']![0]).toBeGreaterThan(body.forecasts[0]!.mean[0]!);
  });

  test('a history too short for a window is refused', async () => {
    const body = { model: 'mock', horizon: 3, series: [exampleSeries('s', 4)] };
    expect((await ask('/api/conformal', body)).status).toBe(400);
  });

  test('a given forecast is made to add up, or only looked at', async () => {
    const forecast = { model: 'm', forecasts: [given([1], 'a'), given([2], 'b'), given([9], 't')] };
    const hierarchy = { tree: { t: ['a', 'b'] } };
    const { body } = await ask('/api/reconcile', { forecast, hierarchy });
    expect(body.forecasts.map(({ mean }) => mean)).toEqual([[3], [1], [2]]);
    const { body: checked } = await ask('/api/reconcile', {
      forecast,
      hierarchy,
      check_only: true,
    });
    expect(checked).toEqual({
      coherent: false,
      violations: ["'t' is 9 at step 1, its leaves sum to 3"],
    });
  });

  test('series of a hierarchy: parents are summed, errors come from backtests', async () => {
    const wave = (k: number) => Array.from({ length: 40 }, (_, i) => 20 + k * Math.sin(i / 3 + k));
    const { body } = await ask('/api/reconcile', {
      model: 'theta',
      horizon: 2,
      method: 'mint_shrink',
      hierarchy: { tree: { t: ['a', 'b'] } },
      series: [1, 3].map((k, i) => ({
        ...exampleSeries('ab'[i], 40),
        target: wave(k),
        actuals: [1, 1],
      })),
      parameters: { metrics: { names: ['mae'] } },
    });
    const [t, a, b] = body.forecasts.map(({ mean }) => mean[0]!);
    expect(t).toBeCloseTo(a! + b!, 9);
    expect(body.reconciliation.method).toBe('mint_shrink');
    expect(body.metrics.series.map(({ id }) => id)).toEqual(['t', 'a', 'b']);
  });

  test.each([
    ['/api/reconcile', {}],
    [
      '/api/reconcile',
      { forecast: { model: 'm', forecasts: [] }, hierarchy: { tree: { t: ['a'] } } },
    ],
    [
      '/api/reconcile',
      { forecast: { model: 'm', forecasts: [given([1])] }, hierarchy: { tree: { t: ['a'] } } },
    ],
    [
      '/api/conformal',
      { forecast: { model: 'm', forecasts: [given([1])] }, actuals: [1], predictions: [1, 2] },
    ],
    [
      '/api/conformal',
      {
        forecast: { model: 'm', forecasts: [given([1])] },
        actuals: [1],
        predictions: [1],
        coverage: 1,
      },
    ],
  ])('%s refuses %j', async (path, body) => expect((await ask(path, body)).status).toBe(400));
});
