import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import type { Panel } from '../frame/panel.ts';
import { ModelPool } from '../pool/model-pool.ts';
import type { StepEvent } from '../session/step-log.ts';
import { TSAgentSession } from '../session/ts-agent-session.ts';
import { exampleRows } from '../testing/example-frame.ts';
import { fakeBackend } from '../testing/fake-backend.ts';
import { parseFeatureConfig } from './feature-config.ts';
import { makeFeatures } from './make-features.ts';

const ROLES = { statics: [], past: [], futureKnown: [] };

const panelOf = (target: readonly number[], freq = 'D'): Panel => ({
  freq,
  season: 7,
  series: [
    {
      id: 'a',
      timestamps: target.map((_, t) =>
        new Date(Date.UTC(2024, 0, 5 + t)).toISOString().slice(0, 10),
      ),
      target: Float64Array.from(target),
      past: {},
      future: {},
      statics: {},
    },
  ],
});

test('calendar, waves and long lags are known ahead; short lags and statistics are not', () => {
  const config = parseFeatureConfig({
    calendar_features: ['day_of_week', 'is_weekend'],
    fourier: [{ period: 4, order: 1 }],
    lags: [1, 2],
    rolling: [{ window: 2, statistics: ['mean', 'max'] }],
  });
  const made = makeFeatures(panelOf([1, 2, 4]), ROLES, config, 2);
  const [one] = made.panel.series;
  // 5 January 2024 is a Friday.
  expect(one!.past).toMatchObject({
    calendar_day_of_week: [4, 5, 6],
    calendar_is_weekend: [0, 1, 1],
    lag_1: [Number.NaN, 1, 2],
    lag_2: [Number.NaN, Number.NaN, 1],
    rolling_mean_2: [Number.NaN, 1, 1.5],
    rolling_max_2: [Number.NaN, 1, 2],
  });
  expect(one!.future).toMatchObject({ calendar_day_of_week: [0, 1], lag_2: [2, 4] });
  expect(one!.future.fourier_4_sin_1).toEqual([expect.closeTo(-1), expect.closeTo(0)]);
  expect(made.roles).toEqual({
    statics: [],
    past: ['lag_1', 'rolling_mean_2', 'rolling_max_2'],
    futureKnown: [
      'calendar_day_of_week',
      'calendar_is_weekend',
      'fourier_4_sin_1',
      'fourier_4_cos_1',
      'lag_2',
    ],
  });
});

property.prop([
  fc.array(fc.double({ min: -9, max: 9, noNaN: true }), { minLength: 6, maxLength: 20 }),
  fc.integer({ min: 2, max: 5 }),
])('no feature of the past sees its own point or a later one', (target, at) => {
  const config = parseFeatureConfig({ lags: [1, 3], rolling: [{ window: 3 }] });
  const changed = target.map((value, t) => (t >= at ? value + 1 : value));
  const pastOf = (values: readonly number[]) =>
    Object.values(makeFeatures(panelOf(values), ROLES, config, 2).panel.series[0]!.past).map(
      (column) => column.slice(0, at + 1),
    );
  expect(pastOf(changed)).toEqual(pastOf(target));
});

test('a run makes them as a step of its own, and models get them', async () => {
  const backend = fakeBackend();
  const pool = new ModelPool({ adapters: ['one'], backend, preload: true });
  await pool.ready;
  const session = new TSAgentSession({ pool, mode: 'quick' });
  const featureConfig = { calendar_features: ['day_of_week' as const], lags: [1] };
  const run = await session.run(exampleRows(), { h: 3 }, { featureConfig });
  const steps = (run.metadata.events as StepEvent[]).map(({ step_name }) => step_name);
  expect(steps.indexOf('feature_engineering')).toBe(steps.indexOf('build_dataset') + 1);
  const [{ task }] = backend.calls as [(typeof backend.calls)[number]];
  expect(Object.keys(task.series[0]!.pastCovariates ?? {})).toContain('calendar_day_of_week');
  expect(task.series[0]!.futureCovariates).toMatchObject({
    calendar_day_of_week: expect.anything(),
  });
});

test('what cannot be made is logged and left out, and ends a strict run', async () => {
  const session = new TSAgentSession({ mode: 'quick' });
  const featureConfig = { lags: [0] };
  const spec = {
    h: 3,
    tsfm_policy: { mode: 'disabled' as const },
    backtest: { min_train_size: 2 },
  };
  const run = await session.run(exampleRows(), spec, { featureConfig });
  expect(run.metadata.events).toContainEqual(
    expect.objectContaining({ step_name: 'feature_engineering', status: 'failed' }),
  );
  expect(run.forecast.length).toBeGreaterThan(0);
  await expect(
    session.run(exampleRows(), spec, { featureConfig, mode: 'strict' }),
  ).rejects.toMatchObject({ code: 'E_TASK_SPEC_INVALID' });
});
