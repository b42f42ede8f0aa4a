/** One runner process: requests out, answers in, and what is left of them when it dies. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { type ErrorCode, TollamaError } from '@tollama/core/errors';
import { LineSplitter } from '@tollama/core/line-splitter';
import {
  HelloResult,
  PROTOCOL_VERSION,
  parseAnswer,
  type RunnerErrorBody,
  TRACE_CAPABILITY,
} from '@tollama/core/runner-protocol';
import { timerMs } from '@tollama/core/timer';
import { activeTraceHeaders } from '@tollama/telemetry';

export interface CallOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: TollamaError) => void;
  readonly done: () => void;
}

const HELLO_TIMEOUT_MS = 30_000;
const STDERR_LINES = 100;
const STOP_GRACE_MS = 3000;

/** What a runner's own error means for the client (daemon contract, section 6). */
const fromRunnerError = (body: RunnerErrorBody): TollamaError => {
  const { code, message, data } = body;
  const { hint } = (data ?? {}) as { hint?: unknown };
  const options = {
    data: { code, message, ...(data === undefined ? {} : { data }) },
    ...(typeof hint === 'string' && { hint }),
  };
  return new TollamaError(CODE_OF_RUNNER[code] ?? 'RUNNER_ERROR', message, options);
};

const CODE_OF_RUNNER: Readonly<Record<string, ErrorCode>> = {
  BAD_REQUEST: 'INVALID_REQUEST',
  MODEL_UNSUPPORTED: 'MODEL_UNSUPPORTED',
  DEPENDENCY_MISSING: 'DEPENDENCY_MISSING',
};

export class RunnerProcess {
  readonly #child: ChildProcess;
  readonly #pending = new Map<string, Pending>();
  readonly #stderr: string[] = [];
  readonly #family: string;
  readonly #now: () => number;
  readonly exited: Promise<string>;
  #hasExited = false;
  /** Since when something is asked of it and nothing was heard; undefined while it owes nothing. */
  #silentSince: number | undefined;
  #outbox = '';
  #endedBecause: string | undefined;
  #methods: ReadonlySet<string> = new Set();

  constructor(family: string, command: readonly string[], now: () => number = Date.now) {
    this.#family = family;
    this.#now = now;
    const [program, ...args] = command;
    this.#child = spawn(program!, args, { stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true });
    this.exited = new Promise((resolve) => {
      const end = (why: string): void => {
        if (this.#hasExited) return;
        this.#hasExited = true;
        this.#failAll(why);
        resolve(why);
      };
      this.#child.on('error', (error) => end(`does not start: ${error.message}`));
      this.#child.on('exit', (code, signal) =>
        end(this.#endedBecause ?? (signal ? `was ended by ${signal}` : `exited with code ${code}`)),
      );
    });
    this.#child.stdin!.on('error', () => {});
    this.#read();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get isAlive(): boolean {
    return !this.#hasExited;
  }

  /** Calls that wait for an answer. */
  get inFlight(): number {
    return this.#pending.size;
  }

  /** The last lines of its stderr: for the log, never for a client. */
  get stderrTail(): readonly string[] {
    return this.#stderr;
  }

  #read(): void {
    const answers = new LineSplitter({ startsWith: '{' });
    this.#child.stdout!.on('data', (chunk: Buffer) => {
      for (const line of answers.push(chunk)) this.#receive(line);
    });
    const errors = new LineSplitter({ maxLength: 64 * 1024 });
    this.#child.stderr!.on('data', (chunk: Buffer) => {
      this.#stderr.push(...errors.push(chunk));
      this.#stderr.splice(0, this.#stderr.length - STDERR_LINES);
    });
  }

  /** How long it has owed answers without giving any, in milliseconds. */
  get silentMs(): number {
    return this.#silentSince === undefined ? 0 : this.#now() - this.#silentSince;
  }

  #receive(line: string): void {
    const answer = parseAnswer(line);
    const pending = answer && this.#pending.get(answer.id);
    if (answer) this.#silentSince = undefined;
    if (!pending) return;
    this.#pending.delete(answer.id);
    pending.done();
    if ('error' in answer) pending.reject(fromRunnerError(answer.error));
    else pending.resolve(answer.result);
  }

  #failAll(why: string): void {
    for (const { reject, done } of this.#pending.values()) {
      done();
      reject(this.#unavailable(why));
    }
    this.#pending.clear();
  }

  #unavailable(why: string): TollamaError {
    return new TollamaError('RUNNER_UNAVAILABLE', `the runner of family '${this.#family}' ${why}`);
  }

  /** Sends one request and waits for its answer; no runner can guess the id of another one. */
  call(method: string, params: unknown, { timeoutMs, signal }: CallOptions): Promise<unknown> {
    if (this.#hasExited) return Promise.reject(this.#unavailable('is not running'));
    const id = randomUUID();
    return new Promise((resolve, reject) => {
      const give = (error: TollamaError): void => {
        this.#pending.get(id)?.done();
        this.#pending.delete(id);
        reject(error);
      };
      const timer = setTimeout(() => {
        const message = `'${method}' took longer than ${Number((timeoutMs / 1000).toPrecision(2))} s in the runner of family '${this.#family}'`;
        give(new TollamaError('TIMEOUT', message));
      }, timerMs(timeoutMs));
      const onAbort = (): void => {
        give(new TollamaError('INTERRUPTED', 'the client went away'));
        if (this.#methods.has('cancel')) this.#send('cancel', { id });
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      this.#pending.set(id, { resolve, reject, done });
      this.#write(id, method, params);
    });
  }

  /** Requests of one turn of the event loop leave together: one write, one wake-up of the runner. */
  #write(id: string, method: string, params: unknown): void {
    this.#silentSince ??= this.#now();
    if (this.#outbox === '') {
      setImmediate(() => {
        this.#child.stdin!.write(this.#outbox);
        this.#outbox = '';
      });
    }
    const trace = this.#methods.has(TRACE_CAPABILITY) ? activeTraceHeaders() : {};
    this.#outbox += `${JSON.stringify({ id, method, ...trace, params })}\n`;
  }

  /** A request whose answer nobody waits for. */
  #send(method: string, params: unknown): void {
    this.#write(randomUUID(), method, params);
  }

  /** Whether it still answers; true for runners that do not know ping. */
  async ping(timeoutMs: number): Promise<boolean> {
    if (!this.#methods.has('ping')) return this.isAlive;
    return this.call('ping', {}, { timeoutMs }).then(
      () => true,
      () => false,
    );
  }

  /** Waits until the runner has said what it is. Throws RUNNER_UNAVAILABLE on another protocol. */
  async hello(): Promise<HelloResult> {
    const hello = HelloResult.safeParse(
      await this.call('hello', {}, { timeoutMs: HELLO_TIMEOUT_MS }),
    );
    if (!hello.success) throw this.#unavailable('answered hello with something else');
    const { protocol = PROTOCOL_VERSION } = hello.data;
    if (protocol !== PROTOCOL_VERSION) {
      throw this.#unavailable(`speaks protocol ${protocol}, this daemon ${PROTOCOL_VERSION}`);
    }
    this.#methods = new Set(hello.data.capabilities);
    return hello.data;
  }

  /** Terminates it, gently first. */
  async stop(): Promise<void> {
    if (this.#hasExited) return;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_GRACE_MS);
    await this.exited;
    clearTimeout(timer);
  }

  /** Ends it at once; `why` is what its calls are told. */
  kill(why?: string): void {
    this.#endedBecause ??= why;
    this.#child.kill('SIGKILL');
  }
}
