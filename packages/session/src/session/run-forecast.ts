/** One forecast without holding a session: for old callers; each call warns, as nothing stays loaded. */
import type { RunArtifact } from '../artifact/run-artifact.ts';
import { countTemporarySession } from '../pool/load-metrics.ts';
import { ModelPool, type ModelPoolConfig } from '../pool/model-pool.ts';
import type { TaskSpecInput } from '../task/task-spec.ts';
import type { DryRun, RunOptions } from './session-options.ts';
import { TSAgentSession } from './ts-agent-session.ts';

export interface RunForecastOptions extends RunOptions {
  /** Used as it is; the mode of the call wins over the session's when it is given. */
  readonly session?: TSAgentSession;
  /** Settings of the pool that a temporary session makes; without them it has none. */
  readonly poolConfig?: Partial<ModelPoolConfig>;
  readonly onWarning?: (message: string) => void;
}

const WARNING =
  'runForecast made a session for one call: models are loaded and freed each time; hold a TSAgentSession instead';

/**
 * Runs a forecast in the given session, or in one that lives as long as the call.
 *
 * @example
 * const { forecast } = await runForecast(rows, { h: 24 }, { session });
 */
export async function runForecast(
  data: unknown,
  spec: TaskSpecInput,
  options: RunForecastOptions & { readonly dryRun: true },
): Promise<DryRun>;
export async function runForecast(
  data: unknown,
  spec: TaskSpecInput,
  options?: RunForecastOptions & { readonly dryRun?: false },
): Promise<RunArtifact>;
export async function runForecast(
  data: unknown,
  spec: TaskSpecInput,
  options: RunForecastOptions = {},
): Promise<RunArtifact | DryRun> {
  const { session, poolConfig, onWarning = defaultWarning, ...rest } = options;
  if (session) return runIn(session, data, spec, rest);
  countTemporarySession();
  onWarning(WARNING);
  const pool = poolConfig && new ModelPool(poolConfig);
  try {
    if (pool?.config.preload) await pool.ready;
    const own = new TSAgentSession({
      ...(pool && { pool }),
      ...(options.mode && { mode: options.mode }),
    });
    return await runIn(own, data, spec, rest);
  } finally {
    await pool?.close();
  }
}

const runIn = (
  session: TSAgentSession,
  data: unknown,
  spec: TaskSpecInput,
  { dryRun, ...options }: RunOptions,
): Promise<RunArtifact | DryRun> =>
  dryRun ? session.run(data, spec, { ...options, dryRun }) : session.run(data, spec, options);

const defaultWarning = (message: string): void => {
  process.emitWarning(message, { code: 'TOLLAMA_TEMPORARY_SESSION' });
};
