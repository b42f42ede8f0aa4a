/** A finished run as its artifact. */
import { randomUUID } from 'node:crypto';
import {
  ARTIFACT_SCHEMA_VERSION,
  ARTIFACT_TYPE,
  PACKAGE_VERSION,
  type RunArtifact,
} from '../artifact/run-artifact.ts';
import { dataSignature, signatureOf } from '../artifact/signature.ts';
import type { ModelArtifact } from '../forecast/candidates.ts';
import type { ModelForecast } from '../forecast/forecast-panel.ts';
import { forecastTable } from '../forecast/forecast-table.ts';
import type { FallbackStep } from '../forecast/ladder.ts';
import type { Selection } from '../forecast/selection.ts';
import type { Mode } from '../quality/qa.ts';
import type { Dataset, PlannedRun, RunOptions } from './session-options.ts';
import type { StepLog } from './step-log.ts';

/** What a run knows once it has a plan. */
export interface RunState {
  readonly dataset: Dataset;
  readonly planned: PlannedRun;
  readonly mode: Mode;
  readonly log: StepLog;
  readonly options: RunOptions;
}

/** One artifact for a run: of several models, their names together. */
export const modelOf = (
  fitted: readonly ModelArtifact[],
  byId: ReadonlyMap<string, ModelForecast>,
): ModelArtifact => {
  const used = [...new Set([...byId.values()].map(({ model }) => model))];
  return {
    model_name: used.join('+'),
    signature: fitted.map(({ signature }) => signature).join('+'),
    fit_time_ms: fitted.reduce((sum, { fit_time_ms }) => sum + fit_time_ms, 0),
    n_series: byId.size,
  };
};

export interface RunResults {
  readonly byId: ReadonlyMap<string, ModelForecast>;
  readonly model: ModelArtifact;
  readonly selection: Selection | undefined;
  readonly fallbacks: readonly FallbackStep[];
  readonly calibration: unknown;
  readonly anomalies: unknown;
  readonly drift: unknown;
}

/** Everything that the run was and gave. */
export const packageRun = (
  { dataset, planned, mode, log }: RunState,
  { byId, model, selection, fallbacks, calibration, anomalies, drift }: RunResults,
): RunArtifact => {
  const { panel, frame, spec, roles, validation, qa } = dataset;
  return {
    artifact_type: ARTIFACT_TYPE,
    artifact_schema_version: ARTIFACT_SCHEMA_VERSION,
    package_version: PACKAGE_VERSION,
    lifecycle_stage: 'train_serve',
    forecast: forecastTable(panel, byId, spec),
    plan: planned.plan,
    plan_spec: { nodes: planned.graph },
    task_spec: spec,
    validation_report: validation,
    backtest_report: selection?.report ?? null,
    qa_report: qa,
    model_artifact: model,
    provenance: {
      run_id: randomUUID(),
      timestamp: new Date().toISOString(),
      data_signature: dataSignature(frame),
      task_signature: signatureOf(spec),
      plan_signature: signatureOf(planned.plan),
      model_signature: model.signature,
      qa_repairs: qa.repairs,
      fallbacks_triggered: fallbacks,
      metadata: {
        route_decision: planned.route,
        column_map: spec.panel,
        covariates: roles,
        freq: panel.freq,
      },
    },
    calibration_artifact: calibration,
    anomaly_report: anomalies,
    degradation_events: fallbacks,
    metadata: {
      mode,
      total_duration_ms: log.elapsedMs,
      events: log.events,
      per_series_selection: selection
        ? Object.fromEntries([...byId].map(([id, { model: own }]) => [id, own]))
        : null,
      ...(drift !== null && { drift }),
    },
  };
};
