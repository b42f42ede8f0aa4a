/** Answers about the daemon itself. Times in ISO-8601 UTC. */
import { z } from 'zod';
import { CovariateSupport } from '../capabilities.ts';
import { ModelSource } from '../manifest.ts';
import type { Answer } from './answer.ts';
import { PsResponse } from './models.ts';

export const Health = z.object({ status: z.literal('ok') });

export const VersionResponse = z.object({ version: z.string() });

const PART = {
  healthy: z.boolean(),
  latency_ms: z.number(),
  error: z.string().nullable(),
} as const;

/** A daemon that is not well answers so as well. */
export const Readiness = z.object({
  status: z.enum(['ok', 'degraded']),
  healthy: z.boolean(),
  runner_manager: z.object({
    ...PART,
    configured_runners: z.int(),
    running_runners: z.int(),
    restart_total: z.int(),
  }),
  disk: z.object({ ...PART, path: z.string(), free_bytes: z.int() }),
  connectors: z.null().optional(),
});
export type Readiness = Answer<typeof Readiness>;

/** The process of a family. */
export const RunnerState = z.object({
  family: z.string(),
  command: z.array(z.string()),
  installed: z.boolean().optional(),
  running: z.boolean(),
  pid: z.int().nullable(),
  started_at: z.string().nullable(),
  last_used_at: z.string().nullable(),
  restarts: z.int(),
  last_error: z.object({ message: z.string(), at: z.string() }).nullable(),
});
export type RunnerState = Answer<typeof RunnerState>;

export const InstalledModel = z.object({
  name: z.string(),
  family: z.string(),
  digest: z.string().nullable(),
  size: z.int().describe('bytes'),
  modified_at: z.string(),
  capabilities: CovariateSupport.optional(),
});
export type InstalledModel = Answer<typeof InstalledModel>;

const InfoModels = z.object({
  installed: z.array(InstalledModel),
  loaded: z.array(
    z.object({
      name: z.string(),
      model: z.string().optional(),
      family: z.string(),
      expires_at: z.string().nullable(),
    }),
  ),
  available: z.array(
    z.object({
      name: z.string(),
      family: z.string(),
      source: ModelSource.optional(),
      capabilities: CovariateSupport.nullish(),
    }),
  ),
});

/** Keys and tokens are told as present or absent, never by their text. */
export const InfoResponse = z.object({
  daemon: z.object({
    version: z.string(),
    started_at: z.string(),
    uptime_seconds: z.int(),
    host_binding: z.string(),
  }),
  paths: z.object({
    tollama_home: z.string(),
    config_path: z.string(),
    config_exists: z.boolean(),
  }),
  config: z.unknown().describe('config.json; {"error": ...} for one that cannot be read'),
  env: z.record(z.string(), z.unknown()),
  pull_defaults: z.record(z.string(), z.object({ value: z.unknown(), source: z.string() })),
  models: InfoModels,
  runners: z.array(RunnerState),
});
export type InfoResponse = Answer<typeof InfoResponse>;

/** What one key has used: `items` has its record, or is empty. */
export const UsageResponse = z.object({
  items: z.array(
    z.object({
      key_id: z.string(),
      request_count: z.int(),
      total_inference_ms: z.number(),
      series_processed: z.int(),
      updated_at: z.string(),
    }),
  ),
  summary: z.object({
    keys: z.int(),
    request_count: z.int(),
    total_inference_ms: z.number(),
    series_processed: z.int(),
  }),
});
export type UsageResponse = Answer<typeof UsageResponse>;

/** A part that could not be had is null, with a warning that says why. */
export const DashboardState = z.object({
  info: InfoResponse.nullable(),
  ps: PsResponse.nullable(),
  usage: UsageResponse.nullable(),
  warnings: z.array(
    z.object({
      source: z.enum(['info', 'ps', 'usage']),
      status_code: z.int(),
      detail: z.string(),
    }),
  ),
});
export type DashboardState = Answer<typeof DashboardState>;
