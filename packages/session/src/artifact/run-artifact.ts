/** Everything that a run was and gave, as one JSON file that replays to the same forecast. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { VERSION } from '@tollama/core/version';
import { z } from 'zod';
import { TSAgentKitError } from '../errors/session-error.ts';
import type { ModelArtifact } from '../forecast/candidates.ts';
import type { ForecastRow } from '../forecast/forecast-table.ts';
import type { FallbackStep } from '../forecast/ladder.ts';
import type { BacktestReport } from '../forecast/selection.ts';
import type { ValidationReport } from '../frame/validate.ts';
import type { Plan, PlanNode } from '../plan/plan.ts';
import type { QaReport } from '../quality/qa.ts';
import type { TaskSpec } from '../task/task-spec.ts';
import { sortedJson } from './signature.ts';

export const ARTIFACT_TYPE = 'tsagentkit.run_artifact';
export const ARTIFACT_SCHEMA_VERSION = 1;

export interface Provenance {
  readonly run_id: string;
  readonly timestamp: string;
  readonly data_signature: string;
  readonly task_signature: string;
  readonly plan_signature: string;
  readonly model_signature: string;
  readonly qa_repairs: QaReport['repairs'];
  readonly fallbacks_triggered: readonly FallbackStep[];
  readonly metadata: Readonly<Record<string, unknown>>;
}

export interface RunArtifact {
  readonly artifact_type: typeof ARTIFACT_TYPE;
  readonly artifact_schema_version: number;
  readonly package_version: string;
  readonly lifecycle_stage: 'train_serve';
  readonly forecast: readonly ForecastRow[];
  readonly plan: Plan;
  readonly plan_spec: { readonly nodes: readonly PlanNode[] };
  readonly task_spec: TaskSpec;
  readonly validation_report: ValidationReport;
  readonly backtest_report: BacktestReport | null;
  readonly qa_report: QaReport;
  readonly model_artifact: ModelArtifact;
  readonly provenance: Provenance;
  readonly calibration_artifact: unknown;
  readonly anomaly_report: unknown;
  readonly degradation_events: readonly FallbackStep[];
  readonly metadata: Readonly<Record<string, unknown>>;
}

const Stored = z.looseObject({
  artifact_type: z.string(),
  artifact_schema_version: z.number(),
  forecast: z.array(z.looseObject({ unique_id: z.string(), ds: z.string(), yhat: z.number() })),
  provenance: z.looseObject({
    run_id: z.string(),
    data_signature: z.string(),
    task_signature: z.string(),
    plan_signature: z.string(),
    model_signature: z.string(),
  }),
  metadata: z.record(z.string(), z.unknown()),
});

/** JSON has no NaN; what a metric could not say is null. */
const plain = (value: unknown): unknown => {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
};

export const artifactJson = (artifact: RunArtifact): string =>
  `${sortedJson(plain(artifact), 2)}\n`;

/** Writes beside the place and renames. */
export const saveRunArtifact = async (path: string, artifact: RunArtifact): Promise<void> => {
  const partial = `${path}.${process.pid}.tmp`;
  await writeFile(partial, artifactJson(artifact));
  await rename(partial, path);
};

export interface ExpectedSignatures {
  readonly data_signature?: string;
  readonly task_signature?: string;
  readonly plan_signature?: string;
  readonly model_signature?: string;
}

const incompatible = (field: string, got: unknown, want: unknown): never => {
  throw new TSAgentKitError(
    'E_ARTIFACT_SCHEMA_INCOMPATIBLE',
    `${field} is ${JSON.stringify(got)}, not ${JSON.stringify(want)}`,
    {
      context: { field, got, want },
      fixHint: 'run again on the data and task at hand',
    },
  );
};

/**
 * @throws TSAgentKitError E_ARTIFACT_LOAD_FAILED for a file that cannot be read as JSON,
 * E_ARTIFACT_SCHEMA_INCOMPATIBLE for another type, version or signature
 */
export const loadRunArtifact = async (
  path: string,
  expected: ExpectedSignatures = {},
): Promise<RunArtifact> => {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new TSAgentKitError('E_ARTIFACT_LOAD_FAILED', `${path} cannot be read`, {
      context: { path, reason: cause instanceof Error ? cause.message : String(cause) },
      fixHint: 'give a file that saveRunArtifact wrote',
      cause,
    });
  }
  const { artifact_type, artifact_schema_version } = (value ?? {}) as Partial<RunArtifact>;
  if (artifact_type !== ARTIFACT_TYPE) incompatible('artifact_type', artifact_type, ARTIFACT_TYPE);
  if (artifact_schema_version !== ARTIFACT_SCHEMA_VERSION) {
    incompatible('artifact_schema_version', artifact_schema_version, ARTIFACT_SCHEMA_VERSION);
  }
  const parsed = Stored.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return incompatible(issue!.path.join('.'), issue!.message, 'a run artifact');
  }
  for (const [name, want] of Object.entries(expected)) {
    const got = parsed.data.provenance[name];
    if (got !== want) incompatible(`provenance.${name}`, got, want);
  }
  return parsed.data as unknown as RunArtifact;
};

/** The stored forecast; nothing runs. */
export const replay = (artifact: RunArtifact): RunArtifact => ({
  ...artifact,
  metadata: {
    ...artifact.metadata,
    replayed_from_artifact: true,
    source_run_id: artifact.provenance.run_id,
  },
});

export const PACKAGE_VERSION = VERSION;
