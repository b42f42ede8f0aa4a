/** What the daemon answers, as far as clients rely on it. */
import type { CovariateSupport } from '@tollama/core/capabilities';
import type { ForecastProfile } from '@tollama/core/forecast-profile';
import type { ForecastRequest } from '@tollama/core/forecast-request';
import type { Series } from '@tollama/core/series';
import type { TrainBody as TrainBodySchema } from '@tollama/core/training-job';
import type { z } from 'zod';

export type { Forecast, ForecastResponse } from '@tollama/core/forecast-response';

/** The body of a training, before defaults. */
export type TrainBody = z.input<typeof TrainBodySchema>;

/** The body of a forecast, before defaults. */
export type ForecastBody = z.input<typeof ForecastRequest>;

export interface TagsResponse {
  readonly models: readonly {
    readonly name: string;
    readonly size: number;
    readonly digest: string;
    readonly modified_at: string;
    readonly details: { readonly family: string };
  }[];
}

export interface PsResponse {
  readonly models: readonly {
    readonly name: string;
    readonly size: number;
    readonly weights: number;
    readonly expires_at: string | null;
    readonly context_length: number | null;
    readonly details: { readonly family: string };
  }[];
}

export interface ListedModel {
  readonly name: string;
  readonly family: string;
  readonly installed: boolean;
  readonly license: {
    readonly type: string;
    readonly needs_acceptance: boolean;
    readonly accepted: boolean;
    /** What the licence asks, and where it is. */
    readonly notice?: string | null;
  };
  readonly source: {
    readonly type: string;
    readonly repo_id: string;
    readonly revision: string;
  };
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly capabilities: CovariateSupport;
}

export interface CapabilitiesResponse {
  readonly model: string;
  readonly family: string;
  readonly capabilities: CovariateSupport;
  readonly limits: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly runtime: { readonly ready: boolean; readonly running: boolean };
}

/** One runner, as `/api/info` tells. */
export interface RunnerState {
  readonly family: string;
  readonly command: readonly string[];
  readonly running: boolean;
  readonly pid: number | null;
  readonly started_at: string | null;
  readonly last_used_at: string | null;
  readonly restarts: number;
  readonly last_error: { readonly message: string; readonly at: string } | null;
}

export interface InstalledModel {
  readonly name: string;
  readonly family: string;
  readonly digest: string | null;
  readonly size: number;
  readonly modified_at: string;
}

/** The parts of `/api/info` that clients rely on. */
export interface InfoResponse {
  readonly daemon: {
    readonly version: string;
    readonly started_at: string;
    readonly uptime_seconds: number;
    readonly host_binding: string;
  };
  readonly paths: {
    readonly tollama_home: string;
    readonly config_path: string;
    readonly config_exists: boolean;
  };
  readonly config: unknown;
  readonly env: Readonly<Record<string, unknown>>;
  readonly pull_defaults: Readonly<
    Record<string, { readonly value: unknown; readonly source: string }>
  >;
  readonly models: {
    readonly installed: readonly InstalledModel[];
    readonly loaded: readonly {
      readonly name: string;
      readonly family: string;
      readonly expires_at: string | null;
    }[];
    readonly available: readonly { readonly name: string; readonly family: string }[];
  };
  readonly runners: readonly RunnerState[];
}

export interface UsageResponse {
  readonly items: readonly {
    readonly key_id: string;
    readonly request_count: number;
    readonly total_inference_ms: number;
    readonly series_processed: number;
    readonly updated_at: string;
  }[];
  readonly summary: {
    readonly keys: number;
    readonly request_count: number;
    readonly total_inference_ms: number;
    readonly series_processed: number;
  };
}

export interface DashboardState {
  readonly info: InfoResponse | null;
  readonly ps: PsResponse | null;
  readonly usage: UsageResponse | null;
  readonly warnings: readonly {
    readonly source: 'info' | 'ps' | 'usage';
    readonly status_code: number;
    readonly detail: string;
  }[];
}

export interface ModelsResponse {
  readonly available: readonly ListedModel[];
  readonly installed: readonly ListedModel[];
}

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

export interface ValidationResponse {
  readonly valid: boolean;
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  readonly suggestions: readonly string[];
}

export interface PruneResponse {
  readonly dry_run: boolean;
  readonly removed: readonly { readonly path: string; readonly bytes: number }[];
  readonly freed_bytes: number;
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

export interface Readiness {
  readonly status: 'ok' | 'degraded';
  readonly healthy: boolean;
  readonly runner_manager: Readonly<Record<string, unknown>> & { readonly healthy: boolean };
  readonly disk: Readonly<Record<string, unknown>> & { readonly healthy: boolean };
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

export interface UploadedSeries {
  readonly filename: string;
  readonly series: readonly Series[];
  readonly preprocessing?: readonly Readonly<Record<string, unknown>>[];
  readonly warnings?: readonly string[];
}

export interface StoredModelfile {
  readonly name: string;
  readonly path: string;
  readonly profile: ForecastProfile;
}

export type ModelfileBody =
  | { readonly name: string; readonly profile: z.input<typeof ForecastProfile> }
  /** The profile as YAML. */
  | { readonly name: string; readonly content: string };
