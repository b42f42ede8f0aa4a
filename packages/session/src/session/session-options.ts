/** What the steps of a session take and give. */

import type { FeatureConfigInput } from '../features/feature-config.ts';
import type { ModelArtifact } from '../forecast/candidates.ts';
import type { ModelForecast } from '../forecast/forecast-panel.ts';
import type { ForecastRow } from '../forecast/forecast-table.ts';
import type { FallbackStep, OnFallback } from '../forecast/ladder.ts';
import type { PastForecast } from '../forecast/selection.ts';
import type { CovariateRoles } from '../frame/covariates.ts';
import type { LongFrame } from '../frame/frame.ts';
import type { Panel } from '../frame/panel.ts';
import type { ValidationReport } from '../frame/validate.ts';
import type { HierarchySpec } from '../hierarchy/hierarchy.ts';
import type { ReconcileMethod } from '../hierarchy/reconcile.ts';
import type { Plan, PlanNode, PlanThresholds, RouteDecision } from '../plan/plan.ts';
import type { ModelPool } from '../pool/model-pool.ts';
import type { Mode, QaReport } from '../quality/qa.ts';
import type { RepairStrategy } from '../quality/repair.ts';
import type { TaskSpec, TaskSpecInput } from '../task/task-spec.ts';

export interface SessionOptions {
  readonly mode?: Mode;
  /** Hold where a task spec says nothing. */
  readonly taskSpecDefaults?: TaskSpecInput;
  /** Foundation models come from here and nowhere else; without one there are baselines. */
  readonly pool?: ModelPool;
  readonly thresholds?: Partial<PlanThresholds>;
}

export interface DatasetOptions {
  readonly repairStrategy?: RepairStrategy;
  /** Features that are made of the data and go along as covariates. */
  readonly featureConfig?: FeatureConfigInput;
}

/** A checked and repaired panel, and what was found on the way. */
export interface Dataset {
  readonly panel: Panel;
  readonly frame: LongFrame;
  readonly spec: TaskSpec;
  readonly roles: CovariateRoles;
  readonly validation: ValidationReport;
  readonly qa: QaReport;
}

export interface PlannedRun {
  readonly plan: Plan;
  readonly route: RouteDecision;
  readonly graph: readonly PlanNode[];
}

export interface FitOptions {
  readonly onFallback?: OnFallback;
  readonly signal?: AbortSignal;
}

/** What `fit` leaves for `predict`; no weights. */
export interface FitArtifact extends ModelArtifact {
  /** The ladder from the fitted model on. */
  readonly candidates: readonly string[];
  readonly plan: Plan;
  readonly fallbacks: readonly FallbackStep[];
}

export interface PredictOptions extends FitOptions {
  readonly hierarchy?: HierarchySpec;
  readonly reconciliationMethod?: ReconcileMethod;
}

export interface Prediction {
  readonly forecast: readonly ForecastRow[];
  readonly byId: ReadonlyMap<string, ModelForecast>;
  readonly fallbacks: readonly FallbackStep[];
}

export interface AnomalySpec {
  /** Central interval in percent. */
  readonly level?: number;
  /** Points at the end that are judged; the horizon when absent. */
  readonly last?: number;
}

export interface RunOptions extends DatasetOptions, PredictOptions {
  readonly mode?: Mode;
  readonly dryRun?: boolean;
  readonly calibratorSpec?: { readonly method: 'conformal' };
  readonly anomalySpec?: AnomalySpec;
  /** A frame of earlier data; the run says how far today's values have moved from it. */
  readonly referenceData?: unknown;
}

export interface DryRun {
  readonly validation: ValidationReport;
  readonly qa_report: QaReport;
  readonly plan: Plan;
  readonly plan_spec: { readonly nodes: readonly PlanNode[] };
  readonly route_decision: RouteDecision;
  readonly task_spec_used: TaskSpec;
}

export interface Calibration {
  readonly method: 'conformal';
  readonly windows: number;
  readonly offsets: unknown;
}

export type { PastForecast };
