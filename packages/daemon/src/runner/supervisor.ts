/** One runner process a family: started on first use, started again when it died, stopped with the daemon. */
import { TollamaError } from '@tollama/core/errors';
import type { Logger } from '../log.ts';
import { type CallOptions, RunnerProcess } from './runner-process.ts';

export interface RunnerStatus {
  readonly family: string;
  readonly command: readonly string[];
  readonly installed: boolean;
  readonly running: boolean;
  readonly pid: number | null;
  readonly started_at: string | null;
  readonly last_used_at: string | null;
  readonly restarts: number;
  readonly last_error: { readonly message: string; readonly at: string } | null;
}

interface Slot {
  process: RunnerProcess | undefined;
  starting: Promise<RunnerProcess> | undefined;
  hasDied: boolean;
  startedAt: string | null;
  lastUsedAt: string | null;
  restarts: number;
  failures: number;
  retryAt: number;
  lastError: RunnerStatus['last_error'];
}

export interface SupervisorOptions {
  /** argv of the runner of a family. */
  readonly commandFor: (family: string) => readonly string[];
  readonly log: Logger;
  readonly now?: () => number;
}

const BACKOFF_BASE_MS = 100;
const BACKOFF_CAP_MS = 5000;

/** Wait before the next start after `failures` starts that failed: exponential, capped, with full jitter. */
export const backoffMs = (failures: number, random: number): number =>
  failures === 0 ? 0 : random * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** (failures - 1));

export class Supervisor implements AsyncDisposable {
  readonly #options: SupervisorOptions;
  readonly #slots = new Map<string, Slot>();
  readonly #alone = new Set<RunnerProcess>();
  readonly #now: () => number;
  #onExit: (family: string) => void = () => {};

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Called when a family's process ended: its models are gone. */
  onExit(listener: (family: string) => void): void {
    this.#onExit = listener;
  }

  #slot(family: string): Slot {
    let slot = this.#slots.get(family);
    if (!slot) {
      slot = {
        process: undefined,
        starting: undefined,
        hasDied: false,
        startedAt: null,
        lastUsedAt: null,
        restarts: 0,
        failures: 0,
        retryAt: 0,
        lastError: null,
      };
      this.#slots.set(family, slot);
    }
    return slot;
  }

  /**
   * Calls a method of the family's runner.
   *
   * @throws TollamaError RUNNER_UNAVAILABLE when it does not start or dies, TIMEOUT (final: the process
   * is ended, since a run cannot be taken back), or what the runner's error means
   */
  async call(
    family: string,
    method: string,
    params: unknown,
    options: CallOptions,
  ): Promise<unknown> {
    const slot = this.#slot(family);
    const process = await this.#running(family, slot);
    slot.lastUsedAt = new Date(this.#now()).toISOString();
    try {
      return await process.call(method, params, options);
    } catch (error) {
      if (error instanceof TollamaError && error.code === 'TIMEOUT') {
        this.#note(slot, error.message);
        process.kill();
        this.#exited(family, slot, process, 'was ended because a call took too long');
      }
      throw error;
    }
  }

  async #running(family: string, slot: Slot): Promise<RunnerProcess> {
    if (slot.process?.isAlive) return slot.process;
    slot.starting ??= this.#start(family, slot).finally(() => {
      slot.starting = undefined;
    });
    return slot.starting;
  }

  async #start(family: string, slot: Slot): Promise<RunnerProcess> {
    const wait = slot.retryAt - this.#now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    const process = new RunnerProcess(family, this.#options.commandFor(family));
    void process.exited.then((why) => this.#exited(family, slot, process, why));
    try {
      await process.hello();
    } catch (error) {
      slot.failures++;
      slot.retryAt = this.#now() + backoffMs(slot.failures, Math.random());
      this.#note(slot, String((error as Error).message));
      process.kill();
      throw error;
    }
    if (slot.hasDied) slot.restarts++;
    slot.hasDied = false;
    slot.failures = 0;
    slot.process = process;
    slot.startedAt = new Date(this.#now()).toISOString();
    this.#options.log.info({ family, pid: process.pid }, 'runner started');
    return process;
  }

  #exited(family: string, slot: Slot, process: RunnerProcess, why: string): void {
    if (slot.process !== process) return;
    slot.process = undefined;
    slot.hasDied = true;
    this.#note(slot, `the runner ${why}`);
    this.#options.log.error({ family, why, stderr: process.stderrTail.slice(-20) }, 'runner died');
    this.#onExit(family);
  }

  #note(slot: Slot, message: string): void {
    slot.lastError = { message, at: new Date(this.#now()).toISOString() };
  }

  isRunning(family: string): boolean {
    return this.#slots.get(family)?.process?.isAlive ?? false;
  }

  /** Calls of a family that wait for an answer. */
  inFlight(family: string): number {
    return this.#slots.get(family)?.process?.inFlight ?? 0;
  }

  pidOf(family: string): number | undefined {
    return this.#slots.get(family)?.process?.pid;
  }

  /** Families whose runner was used at least once, and those named; never waits for a runner. */
  statuses(families: Iterable<string>): readonly RunnerStatus[] {
    const all = [...new Set([...families, ...this.#slots.keys()])].toSorted();
    return all.map((family) => {
      const slot = this.#slot(family);
      return {
        family,
        command: this.#options.commandFor(family),
        installed: true,
        running: this.isRunning(family),
        pid: slot.process?.pid ?? null,
        started_at: slot.startedAt,
        last_used_at: slot.lastUsedAt,
        restarts: slot.restarts,
        last_error: slot.lastError,
      };
    });
  }

  get inFlightTotal(): number {
    return [...this.#slots.values()].reduce(
      (sum, { process }) => sum + (process?.inFlight ?? 0),
      0,
    );
  }

  get restartTotal(): number {
    return [...this.#slots.values()].reduce((sum, slot) => sum + slot.restarts, 0);
  }

  /** Ends a family's process on purpose; calls from now on start another one. */
  async stop(family: string): Promise<void> {
    const slot = this.#slots.get(family);
    if (!slot) return;
    const process = slot.process ?? (await slot.starting?.catch(() => undefined));
    if (!process) return;
    if (slot.process === process) {
      slot.process = undefined;
      this.#onExit(family);
    }
    await process.stop();
  }

  /** One call to a runner of its own that ends with it: for work that belongs to no family yet. */
  async callAlone(method: string, params: unknown, options: CallOptions): Promise<unknown> {
    const process = new RunnerProcess('any', this.#options.commandFor('any'));
    this.#alone.add(process);
    try {
      await process.hello();
      return await process.call(method, params, options);
    } finally {
      this.#alone.delete(process);
      void process.stop();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([
      ...[...this.#slots.keys()].map((family) => this.stop(family)),
      ...[...this.#alone].map((process) => process.stop()),
    ]);
  }
}
