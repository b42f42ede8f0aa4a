/** validate -> infer_freq -> qa -> align_covariates -> drop_future_rows -> build_dataset -> feature_engineering, as one path. */
import { TSAgentKitError } from '../errors/session-error.ts';
import { type FeatureConfigInput, parseFeatureConfig } from '../features/feature-config.ts';
import { makeFeatures } from '../features/make-features.ts';
import { buildPanel, futureRowCount, resolveFrequency } from '../frame/build-panel.ts';
import { alignCovariates, type CovariateRoles } from '../frame/covariates.ts';
import type { Panel } from '../frame/panel.ts';
import { raiseFirst, type Validated, validateFrame } from '../frame/validate.ts';
import { covariateIssues, findIssues, type Mode, type QaReport } from '../quality/qa.ts';
import { type RepairStrategy, repairPanel } from '../quality/repair.ts';
import type { TaskSpec } from '../task/task-spec.ts';
import type { Dataset } from './session-options.ts';
import type { StepLog } from './step-log.ts';

const QA_HINTS = {
  missing_values: 'fill the gaps, or use mode standard, which does',
  min_history: 'give longer series, or lower backtest.min_train_size',
  covariate_guardrail: 'correct the covariate, or leave it out',
} as const;

/** Strict mode goes no further past a critical issue. */
const raiseCritical = ({ issues }: QaReport, mode: Mode): void => {
  if (mode !== 'strict') return;
  const found = issues.find(({ severity }) => severity === 'critical');
  if (!found) return;
  const { code, message } = found.details as { readonly code?: never; readonly message?: string };
  throw new TSAgentKitError(
    code ?? (found.type === 'min_history' ? 'E_QA_MIN_HISTORY' : 'E_QA_CRITICAL_ISSUE'),
    message ?? `critical issue: ${found.type}`,
    {
      context: { type: found.type, ...found.details },
      fixHint: QA_HINTS[found.type as keyof typeof QA_HINTS] ?? 'repair the data first',
    },
  );
};

const NO_ROLES = { statics: [], past: [], futureKnown: [] };

interface QaOutcome {
  readonly report: QaReport;
  readonly panel: Panel;
}

/** Finds issues, and repairs what may be repaired. */
const inspectPanel = (
  panel: Panel,
  spec: TaskSpec,
  mode: Mode,
  strategy: RepairStrategy,
): QaOutcome => {
  const issues = findIssues(panel, spec, mode);
  const repaired = repairPanel(panel, strategy, {
    isStrict: mode === 'strict',
    column: spec.panel.y,
  });
  return {
    panel: repaired.panel,
    report: { issues, repairs: repaired.repairs, leakage_detected: false },
  };
};

export interface PrepareRequest {
  readonly data: unknown;
  readonly spec: TaskSpec;
  readonly mode: Mode;
  readonly log: StepLog;
  readonly strategy: RepairStrategy;
  readonly features?: FeatureConfigInput | undefined;
}

const checked = (validated: Validated): Validated & { frame: NonNullable<Validated['frame']> } => {
  raiseFirst(validated.report);
  const { frame } = validated;
  if (!frame) throw new TSAgentKitError('E_CONTRACT_INVALID', 'the data are no table');
  return { ...validated, frame };
};

/**
 * @throws TSAgentKitError of the first step that fails
 */
export const prepareDataset = async (request: PrepareRequest): Promise<Dataset> => {
  const { data, spec, mode, log, strategy } = request;
  const { frame, groups, report } = await log.run(
    'validate',
    () => checked(validateFrame(data, spec)),
    { artifacts: ['validation_report'] },
  );
  const freq =
    spec.freq ??
    (await log.run('infer_freq', () => resolveFrequency(groups, spec), { artifacts: ['freq'] }));
  const bare = buildPanel({ frame, groups, roles: NO_ROLES, freq, h: spec.h });
  const inspected = await log.run(
    'qa',
    () => {
      const found = inspectPanel(bare, spec, mode, strategy);
      raiseCritical(found.report, mode);
      return found;
    },
    { artifacts: ['qa_report'] },
  );
  const { roles, problems } = await log.run('align_covariates', () => {
    const aligned = alignCovariates(frame, groups, spec);
    raiseCritical({ ...inspected.report, issues: covariateIssues(aligned.problems) }, mode);
    return aligned;
  });
  const future = futureRowCount(groups);
  if (future > 0) await log.run('drop_future_rows', () => {}, { context: { rows: future } });
  const panel = await log.run(
    'build_dataset',
    () => withTargets(buildPanel({ frame, groups, roles, freq, h: spec.h }), inspected.panel),
    { artifacts: ['dataset'] },
  );
  const qa = {
    ...inspected.report,
    issues: [...inspected.report.issues, ...covariateIssues(problems)],
    leakage_detected: problems.some(({ code }) => code === 'E_COVARIATE_LEAKAGE'),
  };
  const engineered = await engineer(request, panel, roles);
  return { frame, spec, validation: report, qa, panel, roles, ...engineered };
};

/** The panel with features, where some are asked for and can be made. */
const engineer = async (
  { features, mode, log, spec }: PrepareRequest,
  panel: Panel,
  roles: CovariateRoles,
): Promise<Pick<Dataset, 'panel' | 'roles'> | undefined> => {
  if (!features) return undefined;
  const make = async () => makeFeatures(panel, roles, parseFeatureConfig(features), spec.h);
  const made = await log.optional('feature_engineering', mode === 'strict', make, {
    artifacts: ['features'],
  });
  return made && { panel: made.panel, roles: made.roles };
};

/** The targets as they were repaired. */
const withTargets = (panel: Panel, repaired: Panel): Panel => ({
  ...panel,
  series: panel.series.map((one, i) => ({ ...one, target: repaired.series[i]!.target })),
});
