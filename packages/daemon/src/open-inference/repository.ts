/**
 * The installed models as a repository. A model loads by itself when it is asked, so that it is ready from the
 * start; one that was unloaded on purpose stays away until it is loaded again.
 */
import { errorMessage, TollamaError } from '@tollama/core/errors';
import type { ForecastRequest } from '@tollama/core/forecast-request';
import { EMBEDDED_MODEL_NAMES, isEmbeddedName } from '@tollama/core/statistical';
import type { DaemonContext } from '../context.ts';
import { VERSION_NUMBER } from './signature.ts';

export type State = 'READY' | 'UNAVAILABLE' | 'LOADING' | 'UNLOADING';

export interface IndexEntry {
  readonly name: string;
  readonly version: string;
  readonly state: State;
  readonly reason: string;
}

type Standing = Pick<IndexEntry, 'state' | 'reason'>;

const READY: Standing = { state: 'READY', reason: '' };
const UNLOADED = 'unloaded';

/** A history for the run that loads a model: long enough for every family. */
const WARM_UP = Array.from({ length: 128 }, (_, i) => Math.sin(i / 4));

const warmUpRequest = (model: string): ForecastRequest => ({
  model,
  horizon: 1,
  series: [
    { id: 'warm-up', freq: '1', timestamps: WARM_UP.map((_, i) => `${i}`), target: WARM_UP },
  ],
  quantiles: [],
  options: {},
  parameters: { covariates_mode: 'best_effort' },
  keep_alive: -1,
  response_options: { narrative: false, explain: false },
});

type Parts = Pick<DaemonContext, 'store' | 'loaded' | 'forecaster'>;

export class Repository {
  readonly #parts: Parts;
  readonly #standings = new Map<string, Standing>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async #exists(name: string): Promise<boolean> {
    return isEmbeddedName(name) || (await this.#parts.store.find(name)) !== undefined;
  }

  /** @throws TollamaError MODEL_NOT_FOUND, also for a version that there is not */
  async check(name: string, version: string = VERSION_NUMBER): Promise<void> {
    if (!(await this.#exists(name))) {
      throw new TollamaError('MODEL_NOT_FOUND', `unknown model '${name}'`, {
        hint: `tollama pull ${name}`,
      });
    }
    if (version === VERSION_NUMBER) return;
    throw new TollamaError('MODEL_NOT_FOUND', `model '${name}' has no version '${version}'`);
  }

  async #standingOf(name: string): Promise<Standing> {
    const known = this.#standings.get(name);
    // Another route may have loaded it since.
    const isBack = this.#parts.loaded.list().some((model) => model.name === name);
    if (known && !(known.state === 'UNAVAILABLE' && isBack)) return known;
    this.#standings.delete(name);
    const manifest = await this.#parts.store.find(name);
    if (manifest?.metadata?.forecast_ready === false) {
      return { state: 'UNAVAILABLE', reason: 'the model cannot forecast' };
    }
    const { needs_acceptance = false, accepted = true } = manifest?.license ?? {};
    return needs_acceptance && !accepted
      ? { state: 'UNAVAILABLE', reason: 'its licence is not accepted' }
      : READY;
  }

  async isReady(name: string): Promise<boolean> {
    return (await this.#standingOf(name)).state === 'READY';
  }

  /** @throws TollamaError FORECAST_UNAVAILABLE for a model that is not to be used now */
  async requireReady(name: string): Promise<void> {
    const { state, reason } = await this.#standingOf(name);
    if (state === 'READY') return;
    throw new TollamaError(
      'FORECAST_UNAVAILABLE',
      `model '${name}' is not ready: ${reason || state.toLowerCase()}`,
      { hint: `POST /v2/repository/models/${name}/load` },
    );
  }

  async names(): Promise<string[]> {
    const installed = (await this.#parts.store.list()).map(({ name }) => name);
    return [...new Set([...installed, ...EMBEDDED_MODEL_NAMES])];
  }

  async index(): Promise<IndexEntry[]> {
    const names = await this.names();
    return Promise.all(
      names.map(async (name) => ({
        name,
        version: VERSION_NUMBER,
        ...(await this.#standingOf(name)),
      })),
    );
  }

  /** Loads a model for good; done when it has answered. */
  async load(name: string): Promise<void> {
    await this.check(name);
    this.#standings.set(name, { state: 'LOADING', reason: '' });
    try {
      const prepared = await this.#parts.forecaster.prepare(warmUpRequest(name), { isPlain: true });
      await prepared.run();
      this.#standings.delete(name);
    } catch (error) {
      this.#standings.set(name, { state: 'UNAVAILABLE', reason: errorMessage(error) });
      throw error;
    }
  }

  /** Starts to take a model out of memory and returns; it is unavailable from now on. */
  async unload(name: string): Promise<void> {
    await this.check(name);
    const leaving: Standing = { state: 'UNLOADING', reason: '' };
    this.#standings.set(name, leaving);
    const gone = (reason: string): void => {
      // Unless somebody loaded it meanwhile.
      if (this.#standings.get(name) === leaving)
        this.#standings.set(name, { state: 'UNAVAILABLE', reason });
    };
    this.#parts.loaded.remove(name).then(
      () => gone(UNLOADED),
      (error: unknown) => gone(errorMessage(error)),
    );
  }
}
