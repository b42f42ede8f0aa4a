import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadRunArtifact, replay, saveRunArtifact } from '../artifact/run-artifact.ts';
import { inProcessBackend } from '../backend/in-process.ts';
import { TSAgentKitError } from '../errors/session-error.ts';
import { resetSessionMetrics, sessionMetrics } from '../pool/load-metrics.ts';
import { ModelPool } from '../pool/model-pool.ts';
import { exampleRows } from '../testing/example-frame.ts';
import { type FakeOptions, fakeBackend } from '../testing/fake-backend.ts';
import { runForecast } from './run-forecast.ts';
import { TSAgentSession } from './ts-agent-session.ts';

const names = ['one', 'two', 'three'];

const open = async (fake: FakeOptions = {}, preload = 3, mode: 'quick' | 'standard' = 'quick') => {
  const backend = fakeBackend(fake);
  const pool = new ModelPool({
    adapters: names,
    backend,
    maxPreloadAdapters: preload,
    preload: true,
  });
  await pool.ready.catch(() => {});
  return { backend, pool, session: new TSAgentSession({ pool, mode }) };
};

const failure = (message: string): Error => new Error(message);

test('ten runs on one session load each adapter once', async () => {
  resetSessionMetrics();
  const { backend, session } = await open();
  for (let i = 0; i < 10; i++) await session.run(exampleRows(), { h: 3 });
  expect(backend.loads).toEqual(names);
  expect(sessionMetrics().session_reuse_count).toBe(9);
});

test('without a session each call warns and is counted', async () => {
  resetSessionMetrics();
  const warnings: string[] = [];
  const onWarning = (text: string) => warnings.push(text);
  await runForecast(exampleRows(), { h: 3 }, { mode: 'quick', onWarning });
  await runForecast(exampleRows(), { h: 3 }, { mode: 'quick', onWarning });
  expect(warnings).toHaveLength(2);
  expect(sessionMetrics().temporary_session_count).toBe(2);
});

test('a call without a session can stop at the plan as well', async () => {
  const onWarning = () => {};
  const dry = await runForecast(exampleRows(), { h: 3 }, { dryRun: true, onWarning });
  expect(Object.keys(dry)).toEqual([
    'validation',
    'qa_report',
    'plan',
    'plan_spec',
    'route_decision',
    'task_spec_used',
  ]);
});

describe('the ladder', () => {
  test('the first adapter forecasts when nothing fails', async () => {
    const { session } = await open();
    const run = await session.run(exampleRows(), { h: 2 });
    expect(run.model_artifact.model_name).toBe('tsfm-one');
    expect(run.degradation_events).toEqual([]);
  });

  test('one fails at predict, two helps; each step is recorded', async () => {
    const { session } = await open({ predictErrors: { one: failure('boom') } });
    const run = await session.run(exampleRows(), { h: 2 });
    expect(run.model_artifact.model_name).toBe('tsfm-two');
    expect(run.degradation_events).toEqual([
      { from: 'tsfm-one', to: 'tsfm-two', error_code: 'E_MODEL_PREDICT_FAIL', error: 'boom' },
    ]);
    const steps = (run.metadata.events as { step_name: string }[]).map(
      ({ step_name }) => step_name,
    );
    expect(steps).toContain('predict_fallback');
  });

  test('all adapters fail: a baseline', async () => {
    const predictErrors = Object.fromEntries(names.map((name) => [name, failure('boom')]));
    const { session } = await open({ predictErrors });
    const run = await session.run(exampleRows(), { h: 2 });
    expect(run.model_artifact.model_name).toBe('SeasonalNaive');
    expect(run.degradation_events.map(({ to }) => to)).toEqual([
      'tsfm-two',
      'tsfm-three',
      'SeasonalNaive',
    ]);
  });

  test('one that is not preloaded is stepped over, not loaded', async () => {
    const { backend, session } = await open({ predictErrors: { one: failure('boom') } }, 1);
    const run = await session.run(exampleRows(), {
      h: 2,
      tsfm_policy: { adapters: ['two', 'one'] },
    });
    expect(backend.loads).toEqual(['one']);
    expect(run.degradation_events[0]).toMatchObject({
      from: 'tsfm-two',
      error_code: 'E_MODEL_FIT_FAIL',
    });
    expect(run.model_artifact.model_name).toBe('SeasonalNaive');
  });

  test('required and all fail: exhausted, with what was tried', async () => {
    const predictErrors = Object.fromEntries(names.map((name) => [name, failure('boom')]));
    const { session } = await open({ predictErrors });
    await expect(session.run(exampleRows(), { h: 2, require_tsfm: true })).rejects.toMatchObject({
      code: 'E_FALLBACK_EXHAUSTED',
      context: { models_attempted: ['tsfm-one', 'tsfm-two', 'tsfm-three'] },
    });
  });

  test('what could not be fitted counts as attempted, too', async () => {
    const { session } = await open({ predictErrors: { two: failure('boom') } }, 2);
    const spec = { h: 2, tsfm: { mode: 'required', adapters: ['three', 'two'] } };
    const exhausted = {
      code: 'E_FALLBACK_EXHAUSTED',
      context: { models_attempted: ['tsfm-three', 'tsfm-two'] },
    };
    await expect(session.run(exampleRows(), spec)).rejects.toMatchObject(exhausted);
    const dataset = await session.dataset(exampleRows(), spec);
    const fitted = await session.fit(dataset, session.plan(dataset).plan);
    await expect(session.predict(fitted, dataset)).rejects.toMatchObject(exhausted);
  });

  test('memory that a load lacks is counted', async () => {
    resetSessionMetrics();
    const { session } = await open({ loadErrors: { one: failure('out of memory') } }, 1);
    await session.run(exampleRows(), { h: 2 });
    expect(sessionMetrics().oom_events).toBe(1);
  });

  test('required without a pool: unavailable, with why', async () => {
    const session = new TSAgentSession({ mode: 'quick' });
    const spec = { h: 2, tsfm: { mode: 'required', adapters: ['chronos'] } };
    await expect(session.run(exampleRows(), spec)).rejects.toMatchObject({
      code: 'E_TSFM_REQUIRED_UNAVAILABLE',
      context: { unavailable: { chronos: 'no_model_pool' }, allowed_by_guardrail: true },
    });
  });

  test('an error that the ladder cannot help with surfaces at once', async () => {
    const odd = new TSAgentKitError('E_QA_LEAKAGE_DETECTED', 'the future was seen');
    const { backend, session } = await open({ predictErrors: { one: odd } });
    await expect(session.run(exampleRows(), { h: 2 })).rejects.toBe(odd);
    expect(backend.calls.map(({ model }) => model)).toEqual(['one']);
  });

  test('out of memory is counted and stepped down from', async () => {
    resetSessionMetrics();
    const { session } = await open({ predictErrors: { one: failure('CUDA out of memory') } });
    const run = await session.run(exampleRows(), { h: 2 });
    expect(run.degradation_events[0]?.error_code).toBe('E_OOM');
    expect(sessionMetrics().oom_events).toBe(1);
  });
});

describe('no series vanishes, none gets zeros', () => {
  test.each(['silentFor', 'brokenFor'] as const)('%s one series', async (how) => {
    const { session } = await open({ [how]: { one: ['b'] }, offsets: { two: 5 } });
    const { forecast, degradation_events } = await session.run(exampleRows(), { h: 2 });
    const models = new Map(forecast.map(({ unique_id, model }) => [unique_id, model]));
    expect([...models]).toEqual([
      ['a', 'tsfm-one'],
      ['b', 'tsfm-two'],
    ]);
    expect(forecast.every(({ yhat }) => Number.isFinite(yhat) && yhat !== 0)).toBe(true);
    expect(degradation_events).toEqual([
      expect.objectContaining({ from: 'tsfm-one', to: 'tsfm-two', series: ['b'] }),
    ]);
  });

  test('a chosen model that fails afterwards is replaced, also per series', async () => {
    const predictErrors: Record<string, Error> = {};
    const { backend, session } = await open(
      { predictErrors, offsets: { two: 50, three: 50 } },
      3,
      'standard',
    );
    const rows = exampleRows(['a', 'b'], 90);
    const spec = { h: 2, backtest: { n_windows: 2 } };
    const chosen = await session.run(rows, spec);
    expect(chosen.backtest_report?.n_windows).toBe(2);
    // From now on everything that the pool has fails.
    for (const name of names) predictErrors[name] = failure('gone');
    const { forecast } = await session.run(rows, spec);
    expect(new Set(forecast.map(({ unique_id }) => unique_id))).toEqual(new Set(['a', 'b']));
    expect(backend.loads).toEqual(names);
  });
});

describe('steps', () => {
  const stepNames = (run: { metadata: Readonly<Record<string, unknown>> }) =>
    (run.metadata.events as { step_name: string; status: string }[]).map(
      ({ step_name, status }) => `${step_name}:${status}`,
    );

  test('each is logged in its place', async () => {
    const session = new TSAgentSession();
    const run = await session.run(
      exampleRows(),
      { h: 7 },
      {
        calibratorSpec: { method: 'conformal' },
        anomalySpec: { last: 5 },
        referenceData: exampleRows(),
      },
    );
    expect(stepNames(run)).toEqual(
      [
        ...['validate', 'infer_freq', 'qa', 'align_covariates', 'build_dataset', 'make_plan'],
        ...['backtest', 'fit_per_series', 'predict_per_series', 'calibration'],
        ...['anomaly_detection', 'drift_detection', 'package'],
      ].map((name) => `${name}:success`),
    );
    expect(run.metadata.drift).toMatchObject([{ drifted: false }, { drifted: false }]);
  });

  test('quick skips the backtest', async () => {
    const run = await new TSAgentSession({ mode: 'quick' }).run(exampleRows(), { h: 2, freq: 'D' });
    expect(stepNames(run)).toContain('backtest:skipped');
    expect(stepNames(run)).not.toContain('infer_freq:success');
    expect(run.backtest_report).toBeNull();
  });

  test('an optional step that fails is logged and ignored, except in strict mode', async () => {
    const rows = exampleRows(['a'], 20);
    const spec = { h: 3, backtest: { min_train_size: 50 } };
    const run = await new TSAgentSession().run(rows, spec);
    expect(stepNames(run)).toContain('backtest:failed');
    expect(run.forecast).toHaveLength(3);
    const strict = new TSAgentSession({ mode: 'strict' });
    await expect(strict.run(rows, spec)).rejects.toMatchObject({ code: 'E_QA_MIN_HISTORY' });
  });

  test('a dry run ends with the plan', async () => {
    const { session, backend } = await open();
    const dry = await session.run(exampleRows(), { h: 2 }, { dryRun: true });
    expect(dry.plan.candidate_models.slice(0, 2)).toEqual(['tsfm-one', 'tsfm-two']);
    expect(dry.plan_spec.nodes[0]).toEqual({ id: 'validate', needs: [] });
    expect(dry.task_spec_used.forecast.levels).toEqual([80, 95]);
    expect(backend.calls).toEqual([]);
  });
});

test('the model sees the series as it was: nothing observed is replaced', async () => {
  const { backend, session } = await open();
  const rows = exampleRows(['a'], 100).map((row, t) => ({
    ...row,
    y: t === 40 ? 500 : t === 50 ? null : row.y,
  }));
  const run = await session.run(rows, { h: 2 });
  const [seen] = backend.calls[0]!.task.series;
  rows.forEach(({ y }, t) => {
    expect(seen!.target[t]).toBe(t === 50 ? rows[49]!.y : y);
  });
  expect(run.provenance.qa_repairs).toEqual([
    expect.objectContaining({ type: 'missing_values', method: 'ffill', count: 1, pit_safe: true }),
  ]);
});

test('forecast rows are sorted and have a column for each level', async () => {
  const { session } = await open();
  const { forecast } = await session.run(exampleRows(['a', 'b']), { h: 2 });
  expect(Object.keys(forecast[0]!)).toEqual([
    ...['unique_id', 'ds', 'model', 'yhat', 'q_0.1', 'q_0.5', 'q_0.9'],
    ...['lo_80', 'hi_80', 'lo_95', 'hi_95'],
  ]);
  expect(forecast.map(({ unique_id, ds }) => `${unique_id} ${ds}`)).toEqual([
    ...['a 2024-04-30', 'a 2024-05-01', 'b 2024-04-30', 'b 2024-05-01'],
  ]);
});

test('session and plain function agree; equal inputs have equal signatures', async () => {
  const session = new TSAgentSession({ mode: 'quick' });
  const one = await session.run(exampleRows(), { h: 5 });
  const other = await runForecast(
    exampleRows(),
    { horizon: 5 },
    { mode: 'quick', onWarning: () => {} },
  );
  expect(other.forecast).toEqual(one.forecast);
  for (const name of ['data_signature', 'task_signature', 'plan_signature'] as const) {
    expect(other.provenance[name]).toBe(one.provenance[name]);
    expect(one.provenance[name]).toMatch(/^[0-9a-f]{16}$/);
  }
  expect(other.provenance.run_id).not.toBe(one.provenance.run_id);
});

describe('artifacts', () => {
  const withFolder = async (use: (path: string) => Promise<void>): Promise<void> => {
    const folder = await mkdtemp(join(tmpdir(), 'tollama-session-'));
    try {
      await use(join(folder, 'run.json'));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };

  test('a saved run replays to the same table', () =>
    withFolder(async (path) => {
      const run = await new TSAgentSession().run(exampleRows(), { h: 3 });
      await saveRunArtifact(path, run);
      const { data_signature } = run.provenance;
      const replayed = replay(await loadRunArtifact(path, { data_signature }));
      expect(replayed.forecast).toEqual(run.forecast);
      expect(replayed.metadata).toMatchObject({
        replayed_from_artifact: true,
        source_run_id: run.provenance.run_id,
      });
      const keys = Object.keys(JSON.parse(await readFile(path, 'utf8')));
      expect(keys).toEqual([...keys].sort());
    }));

  test('a bad file, a wrong version and another signature are told apart', () =>
    withFolder(async (path) => {
      await writeFile(path, '{');
      await expect(loadRunArtifact(path)).rejects.toMatchObject({ code: 'E_ARTIFACT_LOAD_FAILED' });
      const run = await new TSAgentSession({ mode: 'quick' }).run(exampleRows(), { h: 3 });
      await saveRunArtifact(path, { ...run, artifact_schema_version: 2 });
      const incompatible = { code: 'E_ARTIFACT_SCHEMA_INCOMPATIBLE' };
      await expect(loadRunArtifact(path)).rejects.toMatchObject(incompatible);
      await saveRunArtifact(path, run);
      const other = { task_signature: '0000000000000000' };
      await expect(loadRunArtifact(path, other)).rejects.toMatchObject(incompatible);
    }));
});

test('step methods do what run does', async () => {
  const { session } = await open();
  const spec = { h: 4 };
  expect(session.validate(exampleRows(), spec)).toMatchObject({ valid: true, errors: [] });
  const dataset = await session.dataset(exampleRows(), spec);
  const { plan } = session.plan(dataset);
  const artifact = await session.fit(dataset, plan);
  const { forecast } = await session.predict(artifact, dataset);
  expect(forecast).toEqual((await session.run(exampleRows(), spec)).forecast);
});

test('a hierarchy adds up', async () => {
  const leaves = exampleRows(['x', 'y'], 100);
  const total = leaves.slice(0, 100).map((row, t) => ({
    ...row,
    unique_id: 'total',
    y: (row.y as number) + (leaves[100 + t]!.y as number),
  }));
  const session = new TSAgentSession({ mode: 'quick' });
  for (const reconciliationMethod of ['bottom_up', 'mint_shrink'] as const) {
    const { forecast } = await session.run(
      [...total, ...leaves],
      { h: 3 },
      {
        hierarchy: { total: ['x', 'y'] },
        reconciliationMethod,
      },
    );
    const at = (id: string) => forecast.filter(({ unique_id }) => unique_id === id);
    at('total').forEach(({ yhat }, h) => {
      expect(yhat).toBeCloseTo(at('x')[h]!.yhat + at('y')[h]!.yhat, 8);
    });
  }
});

test('covariates known ahead reach the model, over the history and the horizon', async () => {
  const { backend, session } = await open();
  const rows = exampleRows(['a'], 70).map((row, t) => ({
    ...row,
    price: t,
    seen: t < 60 ? t : null,
    y: t < 60 ? row.y : null,
  }));
  await session.run(rows, { h: 10 });
  const [series] = backend.calls[0]!.task.series;
  expect(series!.target).toHaveLength(60);
  expect(series!.futureCovariates).toEqual({ price: [60, 61, 62, 63, 64, 65, 66, 67, 68, 69] });
  expect(Object.keys(series!.pastCovariates!)).toEqual(['seen', 'price']);
});

test('models without weights serve as adapters of a pool', async () => {
  await using pool = new ModelPool({
    adapters: ['auto'],
    preload: true,
    backend: inProcessBackend(),
  });
  await pool.ready;
  const run = await new TSAgentSession({ pool, mode: 'quick' }).run(exampleRows(), { h: 7 });
  expect(run.model_artifact.model_name).toBe('tsfm-auto');
});

test.each([
  ['a frequency', { h: 2, freq: 'zzz' }, {}, 'E_TASK_SPEC_INVALID'],
  ['a horizon', { h: 1e9 }, {}, 'E_TASK_SPEC_INVALID'],
  ['a hierarchy', { h: 2 }, { hierarchy: {} }, 'E_TASK_SPEC_INVALID'],
  ['children', { h: 2 }, { hierarchy: { all: 'a' } as never }, 'E_TASK_SPEC_INVALID'],
  ['a mode', { h: 2 }, { mode: 'zzz' as never }, 'E_TASK_SPEC_INVALID'],
  ['a level', { h: 2 }, { mode: 'strict', anomalySpec: { level: 300 } }, 'E_ANOMALY_FAIL'],
] as const)('%s that cannot be meant is told by a code', async (_, spec, options, code) => {
  const session = new TSAgentSession({ mode: 'quick' });
  const asked = { ...spec, tsfm_policy: { mode: 'disabled' } } as const;
  await expect(session.run(exampleRows(), asked, options)).rejects.toMatchObject({ code });
});
