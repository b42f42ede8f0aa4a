/** A session: validate, qa, plan, fit, predict and run over one pool of models that stay loaded. */
import type { RunArtifact } from '../artifact/run-artifact.ts';
import { TSAgentKitError } from '../errors/session-error.ts';
import type { Asked, CandidateContext, ModelArtifact } from '../forecast/candidates.ts';
import {
  fitPanel,
  type ModelForecast,
  partsByModel,
  predictPanel,
} from '../forecast/forecast-panel.ts';
import { forecastTable } from '../forecast/forecast-table.ts';
import type { FallbackStep } from '../forecast/ladder.ts';
import { type Selection, selectModels } from '../forecast/selection.ts';
import type { Panel } from '../frame/panel.ts';
import { type ValidationReport, validateFrame } from '../frame/validate.ts';
import { makePlan, type Plan, planGraph } from '../plan/plan.ts';
import { countSessionReuse } from '../pool/load-metrics.ts';
import type { ModelPool } from '../pool/model-pool.ts';
import { MODES, type Mode, type QaReport } from '../quality/qa.ts';
import {
  neededQuantiles,
  parseTaskSpec,
  type TaskSpec,
  type TaskSpecInput,
} from '../task/task-spec.ts';
import { calibrate, detectDrift, findAnomalies } from './after-forecast.ts';
import { modelOf, packageRun, type RunState } from './package-run.ts';
import { prepareDataset } from './prepare-dataset.ts';
import { reconcilePanel } from './reconcile-panel.ts';
import type {
  Dataset,
  DatasetOptions,
  DryRun,
  FitArtifact,
  FitOptions,
  PlannedRun,
  Prediction,
  PredictOptions,
  RunOptions,
  SessionOptions,
} from './session-options.ts';
import { StepLog } from './step-log.ts';

/** @throws TSAgentKitError E_TASK_SPEC_INVALID for what is no mode */
const checkedMode = (mode: Mode): Mode => {
  if (MODES.includes(mode)) return mode;
  throw new TSAgentKitError('E_TASK_SPEC_INVALID', `mode '${mode}' is not known`, {
    context: { field: 'mode' },
    fixHint: `use ${MODES.join(', ')}`,
  });
};

/**
 * @example
 * await using pool = new ModelPool({ adapters: ['chronos'], preload: true, backend });
 * await pool.ready;
 * const session = new TSAgentSession({ pool });
 * const { forecast } = await session.run(rows, { h: 24 });
 */
export class TSAgentSession implements AsyncDisposable {
  readonly mode: Mode;
  readonly pool: ModelPool | undefined;
  readonly #options: SessionOptions;
  #runs = 0;

  constructor(options: SessionOptions = {}) {
    this.#options = options;
    this.mode = checkedMode(options.mode ?? 'standard');
    this.pool = options.pool;
  }

  /** The spec as the session reads it: its defaults, aliases and all. */
  taskSpec(spec: TaskSpecInput): TaskSpec {
    return parseTaskSpec(spec, this.#options.taskSpecDefaults);
  }

  /** Checks data against the contract; errors are in the report. */
  validate(data: unknown, spec: TaskSpecInput): ValidationReport {
    return validateFrame(data, this.taskSpec(spec)).report;
  }

  /** The panel that `plan`, `fit` and `predict` work on, checked and repaired. */
  dataset(
    data: unknown,
    spec: TaskSpecInput,
    options: DatasetOptions & { readonly mode?: Mode; readonly log?: StepLog } = {},
  ): Promise<Dataset> {
    const { mode = this.mode, log = new StepLog(), repairStrategy = {}, featureConfig } = options;
    return prepareDataset({
      data,
      spec: this.taskSpec(spec),
      mode,
      log,
      strategy: repairStrategy,
      features: featureConfig,
    });
  }

  /** What is wrong with the data, and what was repaired. */
  async qa(data: unknown, spec: TaskSpecInput, mode: Mode = this.mode): Promise<QaReport> {
    return (await this.dataset(data, spec, { mode })).qa;
  }

  /** Which models may forecast, in what order. Throws E_TSFM_REQUIRED_UNAVAILABLE. */
  plan({ panel, roles, spec }: Dataset, mode: Mode = this.mode): PlannedRun {
    const { thresholds } = this.#options;
    const { plan, route } = makePlan({
      panel,
      spec,
      pool: this.pool,
      uses: {
        statics: roles.statics.length > 0,
        past: roles.past.length > 0,
        futureKnown: roles.futureKnown.length > 0,
      },
      ...(thresholds && { thresholds }),
    });
    return { plan, route, graph: planGraph(plan, mode !== 'quick') };
  }

  /** Fits the first candidate that can be; loads nothing unless the pool is lazy. */
  async fit({ panel, spec }: Dataset, plan: Plan, options: FitOptions = {}): Promise<FitArtifact> {
    const fallbacks: FallbackStep[] = [];
    const artifact = await fitPanel({
      panel,
      asked: askedOf(spec),
      context: this.#context(plan, options.signal),
      candidates: plan.candidate_models,
      onFallback: noting(fallbacks, options),
    });
    const from = plan.candidate_models.indexOf(artifact.model_name);
    return { ...artifact, plan, fallbacks, candidates: plan.candidate_models.slice(from) };
  }

  /** Forecasts with what `fit` left; further down the ladder for series that it fails. */
  async predict(
    artifact: FitArtifact,
    { panel, spec }: Dataset,
    options: PredictOptions = {},
  ): Promise<Prediction> {
    const fallbacks: FallbackStep[] = [];
    const { candidates, plan } = artifact;
    const { byId } = await predictPanel({
      panel,
      asked: askedOf(spec),
      context: this.#context(plan, options.signal),
      candidates,
      attempted: plan.candidate_models.slice(0, plan.candidate_models.indexOf(candidates[0]!)),
      onFallback: noting(fallbacks, options),
    });
    const whole = reconcilePanel(panel, byId, options);
    return { forecast: forecastTable(panel, whole, spec), byId: whole, fallbacks };
  }

  /** The whole way from data to a forecast; with dryRun up to the plan. */
  async run(
    data: unknown,
    spec: TaskSpecInput,
    options: RunOptions & { readonly dryRun: true },
  ): Promise<DryRun>;
  async run(
    data: unknown,
    spec: TaskSpecInput,
    options?: RunOptions & { readonly dryRun?: false },
  ): Promise<RunArtifact>;
  async run(
    data: unknown,
    spec: TaskSpecInput,
    options: RunOptions = {},
  ): Promise<RunArtifact | DryRun> {
    if (this.#runs++ > 0) countSessionReuse();
    const mode = checkedMode(options.mode ?? this.mode);
    const log = new StepLog();
    const { repairStrategy, featureConfig } = options;
    const dataset = await this.dataset(data, spec, {
      mode,
      log,
      ...(repairStrategy && { repairStrategy }),
      ...(featureConfig && { featureConfig }),
    });
    const planned = await log.run('make_plan', () => this.plan(dataset, mode), {
      artifacts: ['plan', 'route_decision'],
    });
    if (options.dryRun) {
      return {
        validation: dataset.validation,
        qa_report: dataset.qa,
        plan: planned.plan,
        plan_spec: { nodes: planned.graph },
        route_decision: planned.route,
        task_spec_used: dataset.spec,
      };
    }
    return this.#forecast({ dataset, planned, mode, log, options });
  }

  /** Ends the session; the pool is closed by whoever made it. */
  async close(): Promise<void> {}

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #forecast(run: RunState): Promise<RunArtifact> {
    const { dataset, planned, mode, log, options } = run;
    const { panel, spec } = dataset;
    const isStrict = mode === 'strict';
    const context = this.#context(planned.plan, options.signal);
    const asked = askedOf(spec);
    const selection = await this.#backtest(run, context);
    const fallbacks: FallbackStep[] = [];
    const forecasts = await this.#fitAndPredict(run, selection, fallbacks);
    let { byId } = forecasts;
    const after = { panel, spec, asked, context, byId };
    const calibration =
      options.calibratorSpec &&
      (await log.optional('calibration', isStrict, () => calibrate(after, selection?.past ?? []), {
        artifacts: ['calibration_artifact'],
      }));
    if (calibration) ({ byId } = calibration);
    const { anomalySpec, referenceData } = options;
    const anomalies =
      anomalySpec &&
      (await log.optional('anomaly_detection', isStrict, () => findAnomalies(after, anomalySpec), {
        artifacts: ['anomaly_report'],
      }));
    const drift =
      referenceData !== undefined &&
      (await log.optional('drift_detection', isStrict, async () =>
        detectDrift(panel, spec, referenceData),
      ));
    return log.run('package', () =>
      packageRun(run, {
        byId: reconcilePanel(panel, byId, options),
        model: forecasts.model,
        selection,
        fallbacks,
        calibration: calibration?.artifact ?? null,
        anomalies: anomalies ?? null,
        drift: drift || null,
      }),
    );
  }

  async #backtest(run: RunState, context: CandidateContext): Promise<Selection | undefined> {
    const { dataset, planned, mode, log } = run;
    if (mode === 'quick') {
      log.skip('backtest', 'mode quick');
      return undefined;
    }
    const { panel, spec } = dataset;
    const candidates = planned.plan.candidate_models;
    const request = { panel, spec, asked: askedOf(spec), context, candidates };
    return log.optional('backtest', mode === 'strict', () => selectModels(request), {
      artifacts: ['backtest_report'],
    });
  }

  async #fitAndPredict(
    { dataset, planned, log, options }: RunState,
    selection: Selection | undefined,
    fallbacks: FallbackStep[],
  ): Promise<{ readonly byId: Map<string, ModelForecast>; readonly model: ModelArtifact }> {
    const { panel, spec } = dataset;
    const all = planned.plan.candidate_models;
    const parts = selection
      ? partsByModel(panel, selection.chosen, all)
      : [{ part: panel, candidates: all }];
    const suffix = selection ? '_per_series' : '';
    const asked = askedOf(spec);
    const context = this.#context(planned.plan, options.signal);
    const onFallback = noting(fallbacks, options);
    const fitted = await log.run(`fit${suffix}`, async () => {
      const models: {
        readonly part: Panel;
        readonly candidates: readonly string[];
        readonly attempted: readonly string[];
        readonly artifact: ModelArtifact;
      }[] = [];
      for (const { part, candidates } of parts) {
        const artifact = await fitPanel({ panel: part, asked, context, candidates, onFallback });
        const from = candidates.indexOf(artifact.model_name);
        const attempted = candidates.slice(0, from);
        models.push({ part, candidates: candidates.slice(from), attempted, artifact });
      }
      return models;
    });
    const byId = new Map<string, ModelForecast>();
    const stepsBefore = fallbacks.length;
    await log.run(`predict${suffix}`, async () => {
      for (const { part, candidates, attempted } of fitted) {
        const rest = { candidates, attempted, onFallback };
        const done = await predictPanel({ panel: part, asked, context, ...rest });
        for (const [id, forecast] of done.byId) byId.set(id, forecast);
      }
    });
    if (fallbacks.length > stepsBefore) {
      await log.run('predict_fallback', () => {}, {
        context: { steps: fallbacks.slice(stepsBefore) },
      });
    }
    return {
      byId,
      model: modelOf(
        fitted.map(({ artifact }) => artifact),
        byId,
      ),
    };
  }

  #context(plan: Plan, signal: AbortSignal | undefined): CandidateContext {
    return { pool: this.pool, plan, signal };
  }
}

const askedOf = (spec: TaskSpec): Asked => ({ h: spec.h, quantiles: neededQuantiles(spec) });

const noting =
  (fallbacks: FallbackStep[], { onFallback }: FitOptions) =>
  (step: FallbackStep): void => {
    fallbacks.push(step);
    onFallback?.(step);
  };
