/** Worker processes of this machine: started with the run, started again when they die, ended with it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { TollamaError } from '@tollama/core/errors';

const PROGRAM = fileURLToPath(new URL('../worker/main.ts', import.meta.url));
/** Workers that die so often in a row, without a chunk between, will not work. */
const MOST_DEATHS = 8;
const GOODBYE_MS = 10_000;

export interface LocalWorkerOptions {
  readonly count: number;
  readonly queue: string;
  readonly store?: string | undefined;
  readonly baseUrl?: string | undefined;
  readonly leaseMs: number;
}

export interface LocalWorkers extends AsyncDisposable {
  readonly pids: readonly number[];
  /** The sum of what each took at most. */
  readonly memoryBytes: number;
  /** Throws RUNNER_ERROR when workers keep dying. */
  check(): void;
}

const argumentsOf = ({ queue, store, baseUrl, leaseMs }: LocalWorkerOptions): string[] => [
  PROGRAM,
  '--queue',
  queue,
  '--lease-ms',
  String(leaseMs),
  ...(store === undefined ? [] : ['--store', store]),
  ...(baseUrl === undefined ? [] : ['--base-url', baseUrl]),
];

const hasEnded = (child: ChildProcess): boolean =>
  child.exitCode !== null || child.signalCode !== null;

const end = async (child: ChildProcess): Promise<void> => {
  if (hasEnded(child)) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.stdin?.end();
  const late = new AbortController();
  const killed = sleep(GOODBYE_MS, undefined, { signal: late.signal }).then(
    () => child.kill('SIGKILL'),
    () => undefined,
  );
  await ended;
  late.abort();
  await killed;
};

class WorkerProcesses implements LocalWorkers {
  readonly #options: LocalWorkerOptions;
  readonly #children = new Map<number, ChildProcess>();
  /** Peak memory in bytes, by the worker's place. */
  readonly #memory = new Map<number, number>();
  #deaths = 0;
  #isEnding = false;
  #lastWords = '';

  constructor(options: LocalWorkerOptions) {
    this.#options = options;
    for (let place = 0; place < options.count; place++) this.#start(place);
  }

  #start(place: number): void {
    const child = spawn(process.execPath, argumentsOf(this.#options), {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#children.set(place, child);
    // A worker tells after each chunk how much memory it took at most.
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.#deaths = 0;
      this.#memory.set(place, Math.max(this.#memory.get(place) ?? 0, Number(line)));
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#lastWords = `${this.#lastWords}${text}`.slice(-2000);
    });
    child.stdin.on('error', () => undefined);
    child.once('error', (error) => {
      this.#lastWords = error.message;
    });
    child.once('exit', () => {
      if (this.#isEnding) return;
      this.#deaths++;
      if (this.#deaths < MOST_DEATHS) this.#start(place);
    });
  }

  get pids(): readonly number[] {
    return [...this.#children.values()].flatMap((child) =>
      child.pid === undefined || hasEnded(child) ? [] : [child.pid],
    );
  }

  get memoryBytes(): number {
    return [...this.#memory.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  check(): void {
    if (this.#deaths < MOST_DEATHS) return;
    const line = this.#lastWords.trim().split('\n').at(-1) ?? '';
    throw new TollamaError('RUNNER_ERROR', `the workers keep ending: ${line}`, {
      hint: 'start again to go on; with less memory for each, use fewer --workers',
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true;
    await Promise.all([...this.#children.values()].map(end));
  }
}

/** Starts the workers; they end when they are disposed, at the latest with this process. */
export const startLocalWorkers = (options: LocalWorkerOptions): LocalWorkers =>
  new WorkerProcesses(options);
