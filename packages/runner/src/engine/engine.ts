/** Takes protocol requests one after the other, forecasts for the same model and options together. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import {
  ModelReference,
  RPC,
  type RunnerErrorBody,
  RunnerRequest,
  SessionChoice,
} from '@tollama/core/runner-protocol';
import { STATISTICAL_FAMILY } from '@tollama/core/statistical';
import { parseTraceHeaders } from '@tollama/telemetry/trace-context';
import type { Tracer } from '@tollama/telemetry/tracer';
import { z } from 'zod';
import { type ForecastJob, takeBatch } from './batch.ts';
import { createRandomCheckpoint } from './create.ts';
import { forecastBatch } from './forecast.ts';
import { ForecastParams } from './forecast-params.ts';
import { type ForecastOutcome, traceForecasts } from './forecast-trace.ts';
import { LoadedModels } from './loaded-models.ts';

export interface EngineOptions {
  /** The family that the daemon started this runner for; a name, no restriction. */
  readonly family: string;
  readonly threads: number;
  /** Entry file of the onnxruntime to load; undefined: the one beside the sources. */
  readonly runtime?: string | undefined;
}

/** A run, and whose forecasts it still makes. */
interface UnderWay {
  readonly wanted: Set<string>;
  readonly stop: AbortController;
}

const takenBack = (): TollamaError =>
  new TollamaError('INTERRUPTED', 'the forecast was taken back');

type Job = ForecastJob | { readonly kind: 'control'; readonly request: RunnerRequest };

/** A rejected request in the protocol's form. */
class ProtocolError extends Error {
  readonly body: RunnerErrorBody;

  constructor(body: RunnerErrorBody) {
    super(body.message);
    this.body = body;
  }
}

const parseParams = <T>(schema: z.ZodType<T>, params: unknown): T => {
  const parsed = schema.safeParse(params);
  if (parsed.success) return parsed.data;
  throw new ProtocolError({ code: RPC.invalidParams, message: z.prettifyError(parsed.error) });
};

/** Codes that the daemon passes on as they are; everything else is a failure of the forecast. */
const toErrorBody = (error: unknown): RunnerErrorBody => {
  if (error instanceof ProtocolError) return error.body;
  if (error instanceof TollamaError) {
    const code = error.code === 'INVALID_REQUEST' ? 'BAD_REQUEST' : error.code;
    return { code, message: error.message, ...(error.hint && { data: { hint: error.hint } }) };
  }
  return { code: 'FORECAST_ERROR', message: errorMessage(error) };
};

export class Engine {
  readonly #options: EngineOptions;
  readonly #send: (line: string) => void;
  readonly #models: LoadedModels;
  readonly #tracer: Tracer | undefined;
  readonly #queue: Job[] = [];
  #isRunning = false;
  #underWay: UnderWay | undefined;

  constructor(options: EngineOptions, send: (line: string) => void, tracer?: Tracer) {
    this.#options = options;
    this.#tracer = tracer;
    this.#send = send;
    this.#models = new LoadedModels({ threads: options.threads });
    // Loaded before the first forecast asks for it.
    if (options.family === STATISTICAL_FAMILY) void import('@tollama/models/statistical');
  }

  /** Accepts one line; its answer is sent when it is done. */
  submit(line: string): void {
    const request = this.#parse(line);
    if (!request) return;
    if (request.method === 'cancel') {
      this.#cancel(request);
      return;
    }
    try {
      this.#queue.push(
        request.method === 'forecast'
          ? {
              kind: 'forecast',
              id: request.id,
              params: parseParams(ForecastParams, request.params),
              trace: this.#traceOf(request),
            }
          : { kind: 'control', request },
      );
    } catch (error) {
      this.#fail(request.id, error);
    }
    void this.#work();
  }

  #traceOf(request: RunnerRequest): ForecastJob['trace'] {
    const parent = this.#tracer && parseTraceHeaders(request);
    return parent && { parent, receivedMs: Date.now() };
  }

  /** Takes a forecast out of the queue, or out of the run under way, which ends when nobody wants it any more. */
  #cancel({ id, params }: RunnerRequest): void {
    const at = this.#queue.findIndex((job) => job.kind === 'forecast' && job.id === params.id);
    if (at >= 0) this.#queue.splice(at, 1);
    const isUnderWay = this.#underWay?.wanted.delete(String(params.id)) ?? false;
    if (isUnderWay && this.#underWay?.wanted.size === 0) this.#underWay.stop.abort(takenBack());
    this.#answer(id, { cancelled: at >= 0 || isUnderWay });
  }

  #parse(line: string): RunnerRequest | undefined {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      this.#fail(
        'unknown',
        new ProtocolError({ code: RPC.invalidRequest, message: 'not a JSON line' }),
      );
      return undefined;
    }
    const parsed = RunnerRequest.safeParse(value);
    if (parsed.success) return parsed.data;
    const id = (value as { id?: unknown } | null)?.id;
    const message = 'a request has an id, a method, and params';
    this.#fail(
      typeof id === 'string' ? id : 'unknown',
      new ProtocolError({ code: RPC.invalidRequest, message }),
    );
    return undefined;
  }

  async #work(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#queue.length > 0) {
      // A turn of the event loop lets in what arrived during the last run, so that it joins the batch.
      await nextTurn();
      const job = this.#queue[0]!;
      if (job.kind === 'control') {
        this.#queue.shift();
        await this.#control(job.request);
      } else {
        await this.#forecast(takeBatch(this.#queue));
      }
    }
    this.#isRunning = false;
  }

  async #control({ id, method, params }: RunnerRequest): Promise<void> {
    try {
      this.#answer(id, await this.#dispatch(method, params));
    } catch (error) {
      this.#fail(id, error);
    }
  }

  async #dispatch(method: string, params: Readonly<Record<string, unknown>>): Promise<unknown> {
    switch (method) {
      case 'load':
        return this.#models.load(
          parseParams(ModelReference, params),
          parseParams(SessionChoice, params),
        );
      case 'unload': {
        const { model } = parseParams(z.object({ model: z.string().nullish() }), params);
        await this.#models.unload(model ?? undefined);
        return { unloaded: true, model: model ?? null };
      }
      case 'capabilities':
        return this.#models.describe(
          params.model ? parseParams(ModelReference, params) : undefined,
        );
      case 'create':
        return createRandomCheckpoint(params);
      default:
        throw new ProtocolError({
          code: RPC.methodNotFound,
          message: `method not found: ${method}`,
        });
    }
  }

  /** One run for all jobs; if it fails, each job alone, so that only the guilty one fails. */
  async #forecast(jobs: readonly ForecastJob[]): Promise<void> {
    const startMs = Date.now();
    const wanted = new Set(jobs.map(({ id }) => id));
    const stop = new AbortController();
    this.#underWay = { wanted, stop };
    const trace = (outcome: ForecastOutcome): void => {
      const times = { startMs, endMs: Date.now() };
      if (this.#tracer) traceForecasts(this.#tracer, jobs, times, outcome);
    };
    try {
      const runner = `tollama-${this.#options.family}`;
      const { signal } = stop;
      const results = await forecastBatch(this.#models, jobs, { runner, signal });
      trace({ results });
      results.forEach((result, i) => {
        this.#answer(jobs[i]!.id, result);
      });
    } catch (error) {
      const rest = jobs.filter(({ id }) => wanted.has(id));
      if (jobs.length === 1 || rest.length === 0) {
        trace({ error });
        for (const { id } of jobs) this.#fail(id, error);
      } else for (const job of rest) await this.#forecast([job]);
    } finally {
      this.#underWay = undefined;
    }
  }

  #answer(id: string, result: unknown): void {
    this.#send(JSON.stringify({ id, result }));
  }

  #fail(id: string, error: unknown): void {
    const body = toErrorBody(error);
    if (body.code === 'FORECAST_ERROR') console.error(error);
    this.#send(JSON.stringify({ id, error: body }));
  }
}
