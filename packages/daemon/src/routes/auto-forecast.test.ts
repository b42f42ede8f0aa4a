import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exampleSeries, startTestDaemon, type TestDaemon } from '../testing/test-daemon.ts';

let at: TestDaemon;
beforeAll(async () => {
  at = await startTestDaemon();
});
afterAll(() => at[Symbol.asyncDispose]());

interface AutoAnswer {
  readonly selection: {
    readonly chosen_model: string;
    readonly selected_models: string[];
    readonly candidates: { model: string; rank: number; score: number; reasons: string[] }[];
    readonly rationale: string[];
    readonly fallback_used: boolean;
  };
  readonly response: {
    readonly model: string;
    readonly forecasts: { mean: number[]; quantiles: Record<string, number[]> }[];
    readonly warnings: string[] | null;
  };
}

const auto = async (fields: object = {}) => {
  const body = { horizon: 3, series: [exampleSeries('s', 30)], ...fields };
  const answer = await at.call('POST', '/api/auto-forecast', body);
  return { status: answer.status, ...(answer.body as AutoAnswer & { detail: string }) };
};

const progressive = async (fields: object = {}) => {
  const response = await fetch(`${at.url}/api/forecast/progressive`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ horizon: 2, series: [exampleSeries()], ...fields }),
  });
  const text = await response.text();
  const events = [...text.matchAll(/^event: (.*)\ndata: (.*)$/gm)].map(([, name, data]) => ({
    name,
    ...(JSON.parse(data!) as { model?: string; status?: string; final?: boolean }),
  }));
  return { status: response.status, events };
};

describe('with nothing installed', () => {
  test('there is nothing to choose from, unless a fallback is allowed', async () => {
    expect(await auto()).toMatchObject({ status: 404 });
    expect((await progressive()).status).toBe(404);
    const { selection, response } = await auto({ allow_fallback: true });
    expect(selection).toMatchObject({ chosen_model: 'auto', fallback_used: true });
    expect(response.forecasts[0]!.mean).toHaveLength(3);
  });

  test('the best accuracy is measured on the known end of the series', async () => {
    const season = (i: number) => 10 + [0, 5, 2, -3, 8, -6, 1][i % 7]! + i;
    const series = {
      ...exampleSeries('s', 60),
      target: Array.from({ length: 60 }, (_, i) => season(i)),
    };
    const { selection } = await auto({
      allow_fallback: true,
      strategy: 'best_accuracy',
      horizon: 7,
      series: [series],
    });
    expect(selection.candidates.map(({ rank }) => rank)).toEqual([1, 2, 3, 4]);
    for (const { reasons } of selection.candidates) {
      expect(reasons[0]).toContain('times the naive error on the last 7 known steps');
    }
    const scores = selection.candidates.map(({ score }) => score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
  });

  test('an ensemble of stand-ins keeps quantiles', async () => {
    const { selection, response } = await auto({
      allow_fallback: true,
      strategy: 'ensemble',
      ensemble_top_k: 2,
      ensemble_method: 'median',
    });
    expect(selection.selected_models).toHaveLength(2);
    expect(response.model).toBe('ensemble');
    expect(Object.keys(response.forecasts[0]!.quantiles)).toEqual(['0.1', '0.5', '0.9']);
    expect(response).toHaveProperty('explanation.series.0.trend_direction');
  });
});

describe('with the mock', () => {
  beforeAll(() => at.call('POST', '/api/pull', { model: 'mock', stream: false }));

  test('it is chosen, and a classical model only by name', async () => {
    expect((await auto()).selection.chosen_model).toBe('mock');
    expect((await auto({ model: 'theta' })).selection).toMatchObject({
      chosen_model: 'theta',
      rationale: ['the request names the model'],
      fallback_used: false,
    });
  });

  test('a named model that is not there is refused, or replaced', async () => {
    expect((await auto({ model: 'nope' })).status).toBe(404);
    const { selection } = await auto({ model: 'nope', allow_fallback: true });
    expect(selection).toMatchObject({ chosen_model: 'mock', fallback_used: true });
    expect(selection.rationale[0]).toContain("model 'nope' is not installed");
  });

  test('an ensemble of one says so', async () => {
    const { response } = await auto({ strategy: 'ensemble' });
    expect(response.warnings).toEqual(["only 'mock' could forecast; there is no ensemble"]);
  });

  test('config.json routes modes to models', async () => {
    const routing = { fast_path: 'seasonal-naive', high_accuracy: 'gone' };
    await writeFile(join(at.home, 'config.json'), JSON.stringify({ routing }));
    expect((await auto({ mode: 'fast_path' })).selection.chosen_model).toBe('seasonal-naive');
    const { selection } = await auto({ mode: 'high_accuracy' });
    expect(selection).toMatchObject({ chosen_model: 'mock', fallback_used: true });
  });

  test('progressive: one stage for one model, and for a named one', async () => {
    const { events } = await progressive();
    expect(events.map(({ name, status, final }) => [name, status, final])).toEqual([
      ['model.selected', 'selected', true],
      ['forecast.progress', 'running', true],
      ['forecast.complete', 'completed', true],
    ]);
    expect((await progressive({ model: 'theta' })).events.at(-1)).toMatchObject({
      model: 'theta',
      strategy: 'explicit',
      response: { model: 'theta' },
    });
    expect((await progressive({ model: 'nope' })).status).toBe(404);
    const fallback = await progressive({ model: 'nope', allow_fallback: true });
    expect(fallback.events[0]!.name).toBe('forecast.warning');
  });

  test.each([{ ensemble_top_k: 9 }, { strategy: 'x' }, { mode: 'x' }, { horizon: 0 }])(
    'refuses %j',
    async (fields) => expect((await auto(fields)).status).toBe(400),
  );
});

describe('compare', () => {
  const compare = (fields: object) =>
    at.call('POST', '/api/compare', { horizon: 2, series: [exampleSeries()], ...fields });

  test('each model has a result; those that fail say why', async () => {
    const { body } = await compare({
      models: ['mock', 'nope', 'drift'],
      series: [{ ...exampleSeries(), actuals: [6, 7] }],
      parameters: { metrics: { names: ['mae'] } },
      response_options: { narrative: true },
    });
    expect(body).toMatchObject({
      results: [
        {
          model: 'mock',
          ok: true,
          error: null,
          response: { metrics: { aggregate: { mae: 1.5 } } },
        },
        {
          model: 'nope',
          ok: false,
          response: null,
          error: { category: 'MODEL_MISSING', status_code: 404 },
        },
        { model: 'drift', ok: true },
      ],
      summary: { requested_models: 3, succeeded: 2, failed: 1 },
      narrative: { criterion: 'mae', best_model: 'drift' },
    });
  });

  test.each([{ models: ['mock'] }, { models: ['mock', 'mock'] }, { model: 'mock' }])(
    'refuses %j',
    async (fields) => expect((await compare(fields)).status).toBe(400),
  );
});
