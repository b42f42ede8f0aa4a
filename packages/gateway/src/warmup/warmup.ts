/**
 * Warm-up: at start the upstream's health and a tiny forecast of each model; then, every few minutes, a tiny
 * forecast of each model that is in use. Until the first round is done the gateway is not ready, unless
 * answering with baselines is allowed.
 */
import { errorMessage } from '@tollama/core/errors';
import type { Gateway } from '../gateway.ts';
import { withoutLogin } from '../upstream/failure.ts';
import { pandasFrequency, type UpstreamTask } from '../upstream/payload.ts';
import type { ActiveModel } from './model-activity.ts';

const POINTS = 32;
const FREQ = '5m';
const RETRY_MS = 1000;
const HEALTH_PATHS = ['/v1/health', '/health', '/'] as const;

const tinyTask = (
  { model, version }: ActiveModel,
  levels: readonly number[],
  freqStyle: 'asked' | 'pandas',
): UpstreamTask => ({
  model,
  modelVersion: version,
  series: Array.from({ length: POINTS }, (_, i) => Math.sin(i / 4)),
  horizon: 1,
  freq: freqStyle === 'pandas' ? pandasFrequency(FREQ) : FREQ,
  levels,
  pastCovariates: {},
  futureCovariates: {},
  params: {},
});

export interface WarmupParts {
  readonly gateway: Gateway;
  /** Whether something answers at this address. */
  readonly isHealthy: (url: string) => Promise<boolean>;
}

/** Whether the daemon answers at one of the paths that daemons have for it. */
export const askHealth = async (baseUrl: string, timeoutMs: number): Promise<boolean> => {
  const { username, password } = new URL(baseUrl);
  // fetch takes no address with a login in it.
  const login = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
  const headers = { authorization: `Basic ${login.toString('base64')}` };
  for (const path of HEALTH_PATHS) {
    const url = withoutLogin(baseUrl).replace(/\/+$/, '') + path;
    const response = await fetch(url, {
      signal: AbortSignal.timeout(timeoutMs),
      ...(username !== '' && { headers }),
    }).catch(() => null);
    await response?.body?.cancel();
    if (response && response.status < 500) return true;
    if (!response) return false;
  }
  return false;
};

export class Warmup implements Disposable {
  readonly #parts: WarmupParts;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(parts: WarmupParts) {
    this.#parts = parts;
  }

  /** The first round, again and again until it succeeds; then keep-warm. */
  start(): void {
    const { gateway } = this.#parts;
    const { enabled, allow_baseline_only } = gateway.settings.tsfm.warmup;
    gateway.isReady = !enabled || allow_baseline_only;
    if (enabled) void this.#firstRound();
  }

  async #firstRound(): Promise<void> {
    if (this.#isStopped) return;
    const { gateway } = this.#parts;
    const isWarm = await this.warm(this.#configured());
    if (isWarm) {
      gateway.isReady = true;
      gateway.log.info('warm');
    }
    const { every_s } = gateway.settings.tsfm.warmup;
    this.#again(isWarm ? every_s * 1000 : RETRY_MS, isWarm);
  }

  async #keepWarm(): Promise<void> {
    const { gateway } = this.#parts;
    const { active_s, every_s } = gateway.settings.tsfm.warmup;
    const active = gateway.activity.since(gateway.clock.now() - active_s * 1000);
    await this.warm([...this.#configured(), ...active]);
    this.#again(every_s * 1000, true);
  }

  #again(ms: number, isWarm: boolean): void {
    if (this.#isStopped) return;
    const next = () => void (isWarm ? this.#keepWarm() : this.#firstRound());
    this.#timer = setTimeout(next, ms).unref();
  }

  #configured(): ActiveModel[] {
    const { models } = this.#parts.gateway.settings.tsfm.warmup;
    return models.map((model) => ({ model, version: 'unknown' }));
  }

  /** Whether the upstream is healthy and every model answered. */
  async warm(models: readonly ActiveModel[]): Promise<boolean> {
    const { gateway, isHealthy } = this.#parts;
    const { adapter, warmup, quantiles } = gateway.settings.tsfm;
    if (!(await isHealthy(adapter.base_url))) {
      gateway.log.warn({ url: withoutLogin(adapter.base_url) }, 'the upstream does not answer');
      return false;
    }
    const limitMs = warmup.timeout_s * 1000;
    const outcomes = await Promise.all(
      models.map((one) => {
        const deadlineMs = gateway.clock.now() + limitMs;
        const task = tinyTask(one, quantiles, adapter.freq_style);
        return gateway.parts.upstream
          .forecast(task, { deadlineMs, retryCount: 0, isWarmup: true })
          .then(
            () => true,
            (error) => {
              gateway.log.warn({ model: one.model, reason: errorMessage(error) }, 'not warm');
              return false;
            },
          );
      }),
    );
    return outcomes.every(Boolean);
  }

  [Symbol.dispose](): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }
}
