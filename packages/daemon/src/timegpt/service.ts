/** The tasks of the TimeGPT API, from a parsed body to an answer; routes and jobs share them. */
import { randomUUID } from 'node:crypto';
import { TollamaError } from '@tollama/core/errors';
import { parseBody } from '@tollama/core/schema-issues';
import type { z } from 'zod';
import { type KnownFrequency, knownFrequency, timestampsFrom } from '../columnar/frequency.ts';
import { ModelCalls } from '../columnar/model-calls.ts';
import type { DaemonContext } from '../context.ts';
import { detectAnomalies } from './anomalies.ts';
import { crossValidate } from './cross-validation.ts';
import { type FineTuning, requireFineTuning, type TuningOrder } from './fine-tuning.ts';
import { forecastPanel } from './forecast.ts';
import { influence } from './lagged-influence.ts';
import { modelBehind } from './model-names.ts';
import { detectOnline } from './online-anomalies.ts';
import { type Panel, type PanelOptions, readPanel } from './panel.ts';
import {
  AnomalyBody,
  CrossValidationBody,
  ExplainBody,
  FinetuneBody,
  ForecastBody,
  OnlineAnomalyBody,
  SimulateBody,
} from './requests.ts';
import { simulate } from './simulate.ts';
import { temporaryName } from './temporary-models.ts';
import { TunedModels } from './tuned-models.ts';

/** Who asks, and until when. */
export interface TaskCaller {
  readonly keyId: string;
  /** Of a job, which may be run again after it was cut off. */
  readonly jobId?: string;
  readonly signal?: AbortSignal;
}

/** Checks a body and gives what runs it. Throws for what can be refused before a model runs. */
export type Task = (body: unknown) => (caller: TaskCaller) => Promise<object>;

type CommonBody = Pick<
  ForecastBody,
  | 'model'
  | 'freq'
  | 'finetune_steps'
  | 'finetune_depth'
  | 'finetune_loss'
  | 'finetuned_model_id'
  | 'model_parameters'
>;

const DEFAULT_DEPTH = 1;

export class TimegptService {
  readonly #context: DaemonContext;
  readonly tuned: TunedModels;

  constructor(context: DaemonContext) {
    this.#context = context;
    this.tuned = new TunedModels(context.home.tuned);
  }

  readonly forecast: Task = (raw) => {
    const body = parseBody(ForecastBody, raw);
    const panel = readPanel(body.series, { horizon: body.h, isRolling: false });
    return this.#runner(body, panel, (calls) => forecastPanel(body, panel, calls));
  };

  readonly crossValidation: Task = (raw) => {
    const body = parseBody(CrossValidationBody, raw);
    const panel = readRolling(body);
    return this.#runner(body, panel, (calls, { season }) =>
      crossValidate(body, panel, calls, season),
    );
  };

  /** What older clients call for the fit of the history. */
  readonly historicForecast: Task = (raw) => {
    const placeholders = { h: 1, full_history: true };
    return this.crossValidation({ ...placeholders, ...(raw as object), full_history: true });
  };

  readonly anomalyDetection: Task = (raw) => {
    const body = parseBody(AnomalyBody, raw);
    const panel = readRolling({ ...body, h: 1 });
    return this.#runner(body, panel, (calls, { season }) =>
      detectAnomalies(body, panel, calls, season),
    );
  };

  readonly onlineAnomalyDetection: Task = (raw) => {
    const body = parseBody(OnlineAnomalyBody, raw);
    const panel = readRolling(body);
    return this.#runner(body, panel, (calls) => detectOnline(body, panel, calls));
  };

  readonly simulate: Task = (raw) => {
    const body = parseBody(SimulateBody, raw);
    const panel = readPanel(body.series, { horizon: body.h, isRolling: false });
    return this.#runner(body, panel, (calls) => simulate(body, panel, calls));
  };

  /** Needs no model: what the rows' past tells of the series. */
  readonly explain: Task = (raw) => {
    const { series, method } = parseBody(ExplainBody, raw);
    const panel = readPanel({ ...series, X_future: null }, { horizon: 1, isRolling: true });
    return async () => ({ weights: influence(panel, method), method });
  };

  readonly finetune: Task = (raw) => {
    const tuning = requireFineTuning(this.#context.fineTuning);
    const body = parseBody(FinetuneBody, raw);
    const panel = readPanel({ ...body.series, X_future: null }, { horizon: 1, isRolling: true });
    return (caller) => this.#finetune(tuning, body, panel, caller);
  };

  async #finetune(
    tuning: FineTuning,
    body: FinetuneBody,
    panel: Panel,
    { keyId, jobId, signal }: TaskCaller,
  ): Promise<object> {
    const id = body.output_model_id ?? jobId ?? randomUUID();
    const steps = body.finetune_steps;
    const points = panel.values.length;
    const tokens = { input_tokens: points, output_tokens: 0, finetune_tokens: steps * points };
    const answer = { finetuned_model_id: id, ...tokens };
    const found = await this.tuned.find(id);
    if (found?.job_id !== undefined && found.job_id === jobId) return answer;
    if (found) {
      throw new TollamaError('MODEL_EXISTS', `the fine-tuned model '${id}' exists already`, {
        hint: 'delete it first, or choose another output_model_id',
      });
    }
    const order = orderOf(body, panel, steps, signal);
    const model = await this.#modelOf(body);
    const installed_as = `tuned-${id}`;
    // An earlier run of the job may have been cut off between the model and its record.
    if (jobId !== undefined) await tuning.remove(installed_as);
    await tuning.tune({ ...order, model, name: installed_as });
    await this.tuned.write({
      id,
      created_at: new Date().toISOString(),
      created_by: keyId,
      base_model_id: body.finetuned_model_id ?? modelBehind(body.model, this.#aliases),
      steps,
      depth: order.depth,
      loss: order.loss,
      model: body.model,
      freq: body.freq,
      installed_as,
      ...(jobId !== undefined && { job_id: jobId }),
    });
    return answer;
  }

  /** @throws TollamaError NOT_FOUND */
  async removeTuned(id: string): Promise<void> {
    const { installed_as } = await this.tuned.get(id);
    await this.#context.fineTuning?.remove(installed_as);
    await this.tuned.remove(id);
  }

  /** Points that a model reads and steps that it gives, for `/model_params`. */
  async modelParams(name: string): Promise<{ input_size: number; horizon: number }> {
    const model = await this.#modelOf({ model: name });
    const { contextLength, nativeHorizon, maxHorizon } = (await this.#context.profiles.of(model))
      .capabilities;
    return {
      input_size: contextLength ?? UNLIMITED_INPUT,
      horizon: nativeHorizon ?? maxHorizon ?? UNLIMITED_HORIZON,
    };
  }

  get #aliases(): Readonly<Record<string, string>> {
    return this.#context.settings.timegptModels;
  }

  /** The installed model that a request means. `name:id` is a model tuned from another. */
  async #modelOf({ model, finetuned_model_id }: Partial<CommonBody>): Promise<string> {
    if (finetuned_model_id) return (await this.tuned.get(finetuned_model_id)).installed_as;
    const name = modelBehind(model!, this.#aliases);
    const tunedId = /^[^:]+:([\w-]+)$/.exec(name)?.[1];
    return tunedId === undefined ? name : (await this.tuned.get(tunedId)).installed_as;
  }

  async #calls(
    model: string,
    { model_parameters }: CommonBody,
    frequency: KnownFrequency,
    signal: AbortSignal | undefined,
  ): Promise<ModelCalls> {
    const { forecaster, profiles, supervisor } = this.#context;
    const profile = await profiles.of(model);
    const isOwn = supervisor.isOwn(profile.family);
    const options = Object.entries(model_parameters ?? {}).filter(([, value]) => value !== null);
    return new ModelCalls({
      forecaster,
      profile,
      freq: frequency.alias,
      options: Object.fromEntries(options),
      timestampsOf: ({ start, target }) =>
        isOwn ? ['1'] : timestampsFrom(start, frequency, target.length),
      signal,
    });
  }

  #runner<T extends object>(
    body: CommonBody,
    panel: Panel,
    task: (calls: ModelCalls, frequency: KnownFrequency) => Promise<T>,
  ): (caller: TaskCaller) => Promise<T> {
    if ((body.finetune_steps ?? 0) > 0) requireFineTuning(this.#context.fineTuning);
    return (caller) => this.#run(body, panel, caller, task);
  }

  /** Runs a task with the model that the body names, tuned first where it asks for that, and counts it. */
  async #run<T extends object>(
    body: CommonBody,
    panel: Panel,
    { keyId, signal }: TaskCaller,
    task: (calls: ModelCalls, frequency: KnownFrequency) => Promise<T>,
  ): Promise<T> {
    const { usage, events } = this.#context;
    const frequency = knownFrequency(body.freq);
    const series_count = panel.sizes.length;
    return this.#withTuning(body, panel, signal, async (model) => {
      const calls = await this.#calls(model, body, frequency, signal);
      const answer = await task(calls, frequency);
      usage.record(keyId, { inferenceMs: calls.inferenceMs, series: series_count });
      events.publish(keyId, 'forecast.complete', { model, series_count });
      return answer;
    });
  }

  async #withTuning<T extends object>(
    body: CommonBody,
    panel: Panel,
    signal: AbortSignal | undefined,
    work: (model: string) => Promise<T>,
  ): Promise<T> {
    const model = await this.#modelOf(body);
    const steps = body.finetune_steps ?? 0;
    if (steps === 0) return work(model);
    const tuning = requireFineTuning(this.#context.fineTuning);
    const name = temporaryName();
    await tuning.tune({ ...orderOf(body, panel, steps, signal), model, name });
    try {
      const answer = await work(name);
      return { ...answer, finetune_tokens: steps * panel.values.length };
    } finally {
      await tuning.remove(name);
    }
  }
}

/** What is told of models that read and give any number of points: clients cut their histories to it. */
const UNLIMITED_INPUT = 10_000;
const UNLIMITED_HORIZON = 10_000;

/** What to tune, but for the names. */
const orderOf = (
  body: CommonBody,
  panel: Panel,
  steps: number,
  signal: AbortSignal | undefined,
): Omit<TuningOrder, 'model' | 'name'> => ({
  panel,
  freq: knownFrequency(body.freq).alias,
  steps,
  depth: body.finetune_depth ?? DEFAULT_DEPTH,
  loss: body.finetune_loss ?? 'default',
  signal,
});

const readRolling = ({
  series,
  h,
  hist_exog,
}: Pick<z.infer<typeof CrossValidationBody>, 'series' | 'h' | 'hist_exog'>): Panel => {
  const options: PanelOptions = { horizon: h, historic: hist_exog ?? null, isRolling: true };
  // Rows that are known ahead stand in X itself here.
  return readPanel({ ...series, X_future: null }, options);
};
