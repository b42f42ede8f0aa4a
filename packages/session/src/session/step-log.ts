/** What a run did, step by step, with times. */
import { type SessionErrorCode, TSAgentKitError, toSessionError } from '../errors/session-error.ts';

export interface StepEvent {
  readonly step_name: string;
  readonly status: 'success' | 'failed' | 'skipped';
  /** Milliseconds, three decimals. */
  readonly duration_ms: number;
  readonly timestamp: string;
  readonly error_code: string | null;
  readonly artifacts_generated: readonly string[];
  readonly context?: Readonly<Record<string, unknown>>;
}

export interface StepOptions {
  readonly artifacts?: readonly string[];
  readonly context?: Readonly<Record<string, unknown>>;
}

/** Codes of the steps whose failures have one of their own, whatever it was that failed. */
const STEP_CODES: Readonly<Record<string, SessionErrorCode>> = {
  calibration: 'E_CALIBRATION_FAIL',
  anomaly_detection: 'E_ANOMALY_FAIL',
};

const rounded = (ms: number): number => Math.round(ms * 1000) / 1000;

export class StepLog {
  readonly events: StepEvent[] = [];
  readonly #started = performance.now();

  get elapsedMs(): number {
    return rounded(performance.now() - this.#started);
  }

  /** Runs a step; its failure is logged and thrown on. */
  async run<T>(name: string, step: () => Promise<T> | T, options: StepOptions = {}): Promise<T> {
    const started = performance.now();
    try {
      const result = await step();
      this.#add(name, 'success', started, null, options);
      return result;
    } catch (thrown) {
      const own = Object.hasOwn(STEP_CODES, name) ? STEP_CODES[name] : undefined;
      const error = own ? toSessionError(thrown, own) : thrown;
      const code = error instanceof TSAgentKitError ? error.code : 'INTERNAL';
      const message = error instanceof Error ? error.message : String(error);
      this.#add(name, 'failed', started, code, { context: { ...options.context, error: message } });
      throw error;
    }
  }

  /** Runs a step that the forecast can do without: its failure is logged, and thrown on only in strict mode. */
  async optional<T>(
    name: string,
    isStrict: boolean,
    step: () => Promise<T>,
    options: StepOptions = {},
  ): Promise<T | undefined> {
    try {
      return await this.run(name, step, options);
    } catch (error) {
      if (isStrict) throw error;
      return undefined;
    }
  }

  skip(name: string, reason: string): void {
    this.#add(name, 'skipped', performance.now(), null, { context: { reason } });
  }

  #add(
    name: string,
    status: StepEvent['status'],
    started: number,
    code: string | null,
    { artifacts = [], context }: StepOptions,
  ): void {
    this.events.push({
      step_name: name,
      status,
      duration_ms: rounded(performance.now() - started),
      timestamp: new Date().toISOString(),
      error_code: code,
      artifacts_generated: artifacts,
      ...(context && { context }),
    });
  }
}
