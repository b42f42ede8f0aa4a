/** What the daemon answers, as far as clients rely on it. */
import type { ForecastRequest } from '@tollama/core/forecast-request';
import type { z } from 'zod';

export type { ForecastResponse } from '@tollama/core/forecast-response';

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
  readonly models: { readonly installed: readonly InstalledModel[] };
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
  readonly error?: { readonly message?: string; readonly detail?: unknown; readonly hint?: string };
  readonly [field: string]: unknown;
}
