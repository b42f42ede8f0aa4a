import type { Settings } from '@tollama/core/settings';
import type { Tracer } from '@tollama/telemetry';
import type { Activity } from './activity.ts';
import type { ConfigFile } from './config-file.ts';
import type { EventBus } from './events/event-bus.ts';
import type { Forecaster } from './forecast/forecaster.ts';
import type { ModelProfiles } from './forecast/model-profile.ts';
import type { LoadedModels } from './loaded/loaded-models.ts';
import type { Logger } from './log.ts';
import type { Metrics } from './observe/metrics.ts';
import type { InferenceStatistics } from './open-inference/statistics.ts';
import type { Supervisor } from './runner/supervisor.ts';
import type { Home } from './store/home.ts';
import type { HomeClaim } from './store/home-owner.ts';
import type { ModelStore } from './store/model-store.ts';
import type { ModelfileStore } from './store/modelfile-store.ts';
import type { RegistryFile } from './store/registry-file.ts';
import type { FineTuning } from './timegpt/fine-tuning.ts';
import type { Jobs } from './timegpt/jobs.ts';
import type { TrainingJobs } from './training/training-jobs.ts';
import type { UsageMeter } from './usage/usage-meter.ts';

/** The parts of a daemon, as its routes see them. */
export interface DaemonContext {
  readonly settings: Settings;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: Home;
  /** That this process is the state folder's daemon, or which other is. */
  readonly claim: HomeClaim;
  readonly log: Logger;
  readonly config: ConfigFile;
  readonly registry: RegistryFile;
  readonly store: ModelStore;
  readonly supervisor: Supervisor;
  readonly loaded: LoadedModels;
  readonly forecaster: Forecaster;
  readonly profiles: ModelProfiles;
  /** Undefined: this daemon does not tune models. */
  readonly fineTuning?: FineTuning | undefined;
  readonly activity: Activity;
  readonly metrics: Metrics;
  readonly statistics: InferenceStatistics;
  readonly modelfiles: ModelfileStore;
  readonly usage: UsageMeter;
  readonly events: EventBus;
  readonly training: TrainingJobs;
  /** Of the TimeGPT API. */
  readonly jobs: Jobs;
  /** Absent where no collector is named. */
  readonly tracer: Tracer | undefined;
  readonly startedAt: Date;
}
