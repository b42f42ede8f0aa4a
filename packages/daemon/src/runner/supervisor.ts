/**
 * One runner process a family: started on first use, started again when it died, stopped with the daemon.
 *
 * When a process dies, each call that was under way is tried once more, alone, while newcomers wait: the
 * one that ends the process again is the poison and is refused from then on; the others get their answers.
 */
import { TollamaError } from '@tollama/core/errors';
import { timerMs } from '@tollama/core/timer';
import { inSpan } from '@tollama/telemetry';
import type { Logger } from '../log.ts';
import { backoffMs } from './backoff.ts';
import type { RunnerCommand } from './commands.ts';
import { PoisonList, poisonError } from './poison.ts';
import { residentBytes } from './resident-memory.ts';
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

class Slot {
  process: RunnerProcess | undefined;
  starting: Promise<RunnerProcess> | undefined;
  /** It has not said hello yet. */
  candidate: RunnerProcess | undefined;
  /** Calls that are tried again, one after the other; newcomers wait for the end of the chain. */
  retries: Promise<void> = Promise.resolve();
  retrying = 0;
  hasDied = false;
  startedAt: string | null = null;
  lastUsedMs = 0;
  restarts = 0;
  /** Starts that failed in a row. */
  failures = 0;
  retryAtMs = 0;
  lastError: RunnerStatus['last_error'] = null;
  readonly poison: PoisonList;

  constructor(now: () => number) {
    this.poison = new PoisonList(now);
  }
}

export interface SupervisorOptions {
  readonly commandFor: (family: string) => RunnerCommand;
  readonly log: Logger;
  /** Resident memory of one process; one that takes more is ended. Watched where the system tells it. */
  readonly memoryLimitBytes?: number | undefined;
  readonly now?: () => number;
  readonly random?: () => number;
}

/** A process that was not used for that long is asked whether it still answers before it is used again. */
const PING_AFTER_MS = 30_000;
const PING_TIMEOUT_MS = 5000;
const MEMORY_LOOK_MS = 100;

const iso = (ms: number): string => new Date(ms).toISOString();

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
    const known = this.#slots.get(family);
    if (known) return known;
    const slot = new Slot(this.#now);
    this.#slots.set(family, slot);
    return slot;
  }

  /**
   * Calls a method of the family's runner.
   *
   * @throws TollamaError RUNNER_UNAVAILABLE when it does not start, or the call ended it twice; TIMEOUT
   * (final: the process is ended, since a run cannot be taken back); or what the runner's error means
   */
  async call(
    family: string,
    method: string,
    params: unknown,
    options: CallOptions,
  ): Promise<unknown> {
    const slot = this.#slot(family);
    slot.poison.check(params);
    const deadline = this.#now() + options.timeoutMs;
    const left = (): CallOptions => ({ ...options, timeoutMs: deadline - this.#now() });
    const process = await inTime(this.#ready(family, slot), family, options);
    try {
      return await this.#callOn(process, family, slot, method, params, left());
    } catch (error) {
      if (!hasDied(error, process)) throw error;
      return this.#retryAlone(family, slot, () =>
        this.#secondTry(family, slot, method, params, left()),
      );
    }
  }

  /** The family's process, once those that are tried again are done. */
  async #ready(family: string, slot: Slot): Promise<RunnerProcess> {
    while (slot.retrying > 0) await slot.retries;
    return this.#running(family, slot);
  }

  /** Starts a family's runner ahead of its first call; a failure is told by that call. */
  warm(family: string): void {
    void this.#running(family, this.#slot(family)).catch(() => {});
  }

  async #callOn(
    process: RunnerProcess,
    family: string,
    slot: Slot,
    method: string,
    params: unknown,
    options: CallOptions,
  ): Promise<unknown> {
    slot.lastUsedMs = this.#now();
    try {
      return await inSpan(
        `runner ${method}`,
        {
          kind: 'client',
          attributes: { 'tollama.family': family, 'tollama.runner.pid': process.pid },
        },
        () => process.call(method, params, options),
      );
    } catch (error) {
      if (error instanceof TollamaError && error.code === 'TIMEOUT') {
        process.kill();
        this.#exited(family, slot, process, 'was ended because a call took too long');
      }
      throw error;
    }
  }

  /** Puts a retry at the end of the chain. */
  #retryAlone(family: string, slot: Slot, retry: () => Promise<unknown>): Promise<unknown> {
    slot.retrying++;
    const result = slot.retries.then(retry);
    slot.retries = result.then(
      () => {},
      () => {},
    );
    void slot.retries.then(() => {
      slot.retrying--;
    });
    this.#options.log.warn({ family }, 'a call is tried again after its runner died');
    return result;
  }

  async #secondTry(
    family: string,
    slot: Slot,
    method: string,
    params: unknown,
    options: CallOptions,
  ): Promise<unknown> {
    if (options.timeoutMs <= 0)
      throw new TollamaError(
        'TIMEOUT',
        `the runner of family '${family}' died, and there was no time left`,
      );
    options.signal?.throwIfAborted();
    const process = await this.#running(family, slot);
    try {
      return await this.#callOn(process, family, slot, method, params, options);
    } catch (error) {
      if (!hasDied(error, process)) throw error;
      slot.poison.add(params);
      throw poisonError((error as Error).message);
    }
  }

  async #running(family: string, slot: Slot): Promise<RunnerProcess> {
    const { process } = slot;
    if (process?.isAlive) {
      // Callers that gave up leave nothing in flight; a runner of others may be deaf while it works.
      const mayHang = process.inFlight === 0 || this.isOwn(family);
      const isSilent = mayHang && process.silentMs > PING_AFTER_MS;
      const isUsed = process.inFlight > 0 || this.#now() - slot.lastUsedMs < PING_AFTER_MS;
      const isFresh = isUsed && !isSilent;
      if (isFresh || (await process.ping(PING_TIMEOUT_MS))) return process;
      process.kill();
      this.#exited(family, slot, process, 'did not answer a ping');
    }
    slot.starting ??= this.#start(family, slot).finally(() => {
      slot.starting = undefined;
    });
    return slot.starting;
  }

  async #start(family: string, slot: Slot): Promise<RunnerProcess> {
    if (slot.retryAtMs > this.#now()) {
      throw new TollamaError(
        'RUNNER_UNAVAILABLE',
        slot.lastError?.message ?? `the runner of family '${family}' does not start`,
      );
    }
    const process = new RunnerProcess(family, this.#options.commandFor(family).argv, this.#now);
    slot.candidate = process;
    try {
      await process.hello();
    } catch (error) {
      slot.failures++;
      slot.retryAtMs =
        this.#now() + backoffMs(slot.failures, (this.#options.random ?? Math.random)());
      this.#note(slot, String((error as Error).message));
      this.#options.log.error(
        { family, stderr: process.stderrTail.slice(-20) },
        'runner does not start',
      );
      process.kill();
      throw error;
    } finally {
      slot.candidate = undefined;
    }
    if (slot.hasDied) slot.restarts++;
    slot.hasDied = false;
    slot.failures = 0;
    slot.process = process;
    slot.lastUsedMs = this.#now();
    slot.startedAt = iso(this.#now());
    void process.exited.then((why) => this.#exited(family, slot, process, why));
    this.#watchMemory(process);
    this.#options.log.info({ family, pid: process.pid }, 'runner started');
    return process;
  }

  /** Ends a process that takes more memory than it may: its calls fail, the machine does not. */
  #watchMemory(process: RunnerProcess): void {
    const { memoryLimitBytes: limit } = this.#options;
    if (limit === undefined) return;
    const megabytes = (bytes: number): number => Math.round(bytes / 1e6);
    const look = async (): Promise<void> => {
      const bytes = process.pid === undefined ? 0 : ((await residentBytes(process.pid)) ?? 0);
      if (bytes <= limit) return;
      const allowed = `TOLLAMA_RUNNER_MEMORY_MB allows ${megabytes(limit)}`;
      process.kill(`was ended: it took ${megabytes(bytes)} MB of memory, ${allowed}`);
    };
    const timer = setInterval(() => void look(), MEMORY_LOOK_MS);
    timer.unref();
    void process.exited.then(() => clearInterval(timer));
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
    slot.lastError = { message, at: iso(this.#now()) };
  }

  /** Whether the family's runner is our own program. */
  isOwn(family: string): boolean {
    return this.#options.commandFor(family).isOwn;
  }

  isRunning(family: string): boolean {
    return this.#slots.get(family)?.process?.isAlive ?? false;
  }

  /** Calls of a family that wait for an answer. */
  inFlight(family: string): number {
    return this.#slots.get(family)?.process?.inFlight ?? 0;
  }

  get inFlightTotal(): number {
    return [...this.#slots.keys()].reduce((sum, family) => sum + this.inFlight(family), 0);
  }

  pidOf(family: string): number | undefined {
    return this.#slots.get(family)?.process?.pid;
  }

  /** Resident memory of the processes that run, where the system tells it. */
  async residentBytes(): Promise<readonly (readonly [family: string, bytes: number])[]> {
    const families = [...this.#slots.keys()];
    const sizes = await Promise.all(
      families.map((family) => {
        const pid = this.pidOf(family);
        return pid === undefined ? undefined : residentBytes(pid);
      }),
    );
    return families.flatMap((family, i) =>
      sizes[i] === undefined ? [] : [[family, sizes[i]] as const],
    );
  }

  /** Families whose runner was used at least once, and those named; never waits for a runner. */
  statuses(families: Iterable<string>): readonly RunnerStatus[] {
    const all = [...new Set([...families, ...this.#slots.keys()])].toSorted();
    return all.map((family) => {
      const slot = this.#slot(family);
      return {
        family,
        command: this.#options.commandFor(family).argv,
        installed: true,
        running: this.isRunning(family),
        pid: slot.process?.pid ?? null,
        started_at: slot.startedAt,
        last_used_at: slot.lastUsedMs > 0 ? iso(slot.lastUsedMs) : null,
        restarts: slot.restarts,
        last_error: slot.lastError,
      };
    });
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
    const process = new RunnerProcess('any', this.#options.commandFor('any').argv);
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
    // One that is still starting is of no use to anybody any more.
    for (const { candidate } of this.#slots.values()) candidate?.kill('was stopped');
    await Promise.all([
      ...[...this.#slots.keys()].map((family) => this.stop(family)),
      ...[...this.#alone].map((process) => process.stop()),
    ]);
  }
}

/** Whether a call failed because its process ended, not because the runner said so. */
const hasDied = (error: unknown, process: RunnerProcess): boolean =>
  error instanceof TollamaError && error.code === 'RUNNER_UNAVAILABLE' && !process.isAlive;

/** A start that takes longer than the call may wait goes on without it. Throws TIMEOUT. */
const inTime = <T>(
  start: Promise<T>,
  family: string,
  { timeoutMs, signal }: CallOptions,
): Promise<T> =>
  new Promise((resolve, reject) => {
    const leave = (): void => reject(new TollamaError('INTERRUPTED', 'the client went away'));
    const message = `the runner of family '${family}' was not ready within ${timeoutMs / 1000} s`;
    const timer = setTimeout(
      () => reject(new TollamaError('TIMEOUT', message)),
      timerMs(timeoutMs),
    );
    signal?.addEventListener('abort', leave, { once: true });
    start.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', leave);
    });
  });
