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
  };
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
