/** A training in a process of its own: the daemon loads no runtime, and outlives whatever a training does. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { LineSplitter } from '@tollama/core/line-splitter';
import { TrainingEventLine } from '@tollama/core/training-job';

/** The program that runs the job of a folder. */
export const trainingProgram = (): readonly string[] => [
  process.execPath,
  fileURLToPath(import.meta.resolve('@tollama/training/bin/tollama-train.mjs')),
];

const STDERR_LINES = 20;

/** What else a process may print is not ours. */
const eventOf = (line: string): TrainingEventLine | undefined => {
  try {
    return TrainingEventLine.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
};

export interface TrainingProcessOptions {
  readonly command: readonly string[];
  readonly folder: string;
  readonly onEvent: (event: TrainingEventLine) => void;
}

export class TrainingProcess {
  readonly #child: ChildProcess;
  readonly #stderr: string[] = [];
  /** Resolves when it has ended, whatever the reason. */
  readonly ended: Promise<void>;

  constructor({ command, folder, onEvent }: TrainingProcessOptions) {
    const [program, ...args] = command;
    this.#child = spawn(program!, [...args, folder], {
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
    });
    this.#child.stdin!.on('error', () => {});
    this.ended = new Promise((resolve) => {
      this.#child.on('error', (error) => {
        this.#stderr.push(error.message);
        resolve();
      });
      this.#child.on('close', () => resolve());
    });
    const events = new LineSplitter();
    this.#child.stdout!.on('data', (chunk: Buffer) => {
      for (const line of events.push(chunk)) {
        const event = eventOf(line);
        if (event) onEvent(event);
      }
    });
    const errors = new LineSplitter({ maxLength: 64 * 1024 });
    this.#child.stderr!.on('data', (chunk: Buffer) => {
      this.#stderr.push(...errors.push(chunk));
      this.#stderr.splice(0, this.#stderr.length - STDERR_LINES);
    });
  }

  /** The last lines of its stderr. */
  get stderrTail(): string {
    return this.#stderr.join('\n');
  }

  /** Asks it to end after the step under way: its state is then in a checkpoint. */
  stop(): void {
    this.#child.stdin!.end();
  }
}
