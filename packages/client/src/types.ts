/** What the daemon takes and answers; the answers are those that its OpenAPI document describes. */
import type { ForecastProfile } from '@tollama/core/forecast-profile';
import type { ForecastRequest } from '@tollama/core/forecast-request';
import type { TrainBody as TrainBodySchema } from '@tollama/core/training-job';
import type { z } from 'zod';

export type {
  DashboardState,
  InfoResponse,
  InstalledModel,
  Readiness,
  RunnerState,
  UsageResponse,
} from '@tollama/core/answers/daemon';
export type {
  CapabilitiesResponse,
  ListedModel,
  ModelsResponse,
  PruneResponse,
  PsResponse,
  ShowResponse,
  TagsResponse,
} from '@tollama/core/answers/models';
export type { StoredModelfile } from '@tollama/core/answers/profiles';
export type { UploadedSeries } from '@tollama/core/answers/series';
export type { ValidationResponse } from '@tollama/core/answers/variants';
export type { Forecast, ForecastResponse } from '@tollama/core/forecast-response';

/** The body of a training, before defaults. */
export type TrainBody = z.input<typeof TrainBodySchema>;

/** The body of a forecast, before defaults. */
export type ForecastBody = z.input<typeof ForecastRequest>;

export interface PullBody {
  readonly model: string;
  readonly name?: string;
  readonly accept_license?: boolean;
  readonly insecure?: boolean;
  readonly offline?: boolean;
  readonly local_files_only?: boolean;
  readonly http_proxy?: string;
  readonly https_proxy?: string;
  readonly no_proxy?: string;
  readonly hf_home?: string;
  readonly token?: string;
  readonly max_workers?: number;
}

export interface CreateBody {
  readonly model: string;
  readonly modelfile?: string;
  readonly folder?: string;
  readonly random?: {
    readonly config: Readonly<Record<string, unknown>>;
    readonly family?: string;
    readonly seed?: number;
  };
}

/** One line of a streamed answer. */
export interface StreamEvent {
  readonly status?: string;
  readonly error?: {
    readonly message?: string;
    readonly detail?: unknown;
    readonly hint?: string;
    readonly status?: number;
  };
  readonly [field: string]: unknown;
}

export interface EventFilter {
  /** Events to hear; all when absent. */
  readonly names?: readonly string[];
  /** Seconds between signs of life. */
  readonly heartbeat?: number;
  readonly maxEvents?: number;
}

/** How a table is read; columns are guessed when absent. */
export interface UploadOptions {
  /** File name, whose ending tells the format. */
  readonly name?: string;
  readonly format_hint?: 'csv' | 'json' | 'ndjson' | 'parquet';
  readonly timestamp_column?: string;
  readonly series_id_column?: string;
  readonly target_column?: string;
  /** Names with commas between. */
  readonly covariate_columns?: string;
  readonly freq?: string;
  readonly freq_column?: string;
  readonly preprocess_missing?: boolean;
  readonly missing_method?: 'auto' | 'linear' | 'seasonal' | 'bspline';
  readonly missing_max_ratio?: number;
  readonly missing_max_gap?: number;
  readonly missing_edge_strategy?: 'nearest' | 'reject';
  readonly missing_seasonal_period?: number;
}

export type ModelfileBody =
  | { readonly name: string; readonly profile: z.input<typeof ForecastProfile> }
  /** The profile as YAML. */
  | { readonly name: string; readonly content: string };
