/**
 * Data parallel: the micro-batches of a step go out at processes, one at a time to each that is free. Whoever asked adds
 * their gradients in the order of the batches: the sum has the same bits whatever the number of processes, and
 * whichever of them died on the way. (Threads would share memory, but onnxruntime ends the whole process when one of
 * them is ended within a run.)
 */
import { type ChildProcess, fork } from 'node:child_process';
import { TollamaError } from '@tollama/core/errors';
import type { Feeds, TensorValue } from '@tollama/graph';
import { type Report, silent } from '../contracts/metrics.ts';
import type { GradientShards } from '../step/gradient-shards.ts';
import type { Gradients, StepSettings } from '../step/training-step.ts';
import { flatOf, type ShardReply, type ShardTask, viewsOf } from './shard-task.ts';

export interface ShardPoolOptions {
  readonly count: number;
  /** A file that runs `serveShards`, and its arguments. */
  readonly program: string;
  readonly arguments?: readonly string[];
  /** The trainable tensors: name -> shape. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly report?: Report;
}

/** Processes that one batch may cost. */
const MOST_DEATHS = 3;

type Answer = Extract<ShardReply, { kind: 'done' }>;

interface Job {
  readonly task: Extract<ShardTask, { kind: 'gradients' }>;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
  deaths: number;
}

interface Helper {
  readonly process: ChildProcess;
  job: Job | undefined;
  /** The parameters that it was told last. */
  told: Float32Array | undefined;
}

const closed = (): TollamaError => new TollamaError('INTERNAL', 'the training is closed');

const dead = (reason: string): TollamaError =>
  new TollamaError('INTERNAL', `the processes of the training do not live: ${reason}`, {
    hint: 'train without --workers',
  });

export class ShardPool implements GradientShards, AsyncDisposable {
  readonly #options: ShardPoolOptions;
  readonly #helpers = new Set<Helper>();
  readonly #queue: Job[] = [];
  #parameters: Float32Array = new Float32Array();
  /** Without an answer in between. */
  #deaths = 0;
  #isClosed = false;
  #isDead: string | undefined;

  constructor(options: ShardPoolOptions) {
    this.#options = options;
    for (let i = 0; i < options.count; i++) this.#start();
  }

  /** Of the processes that live. */
  get processIds(): readonly number[] {
    return [...this.#helpers].flatMap(({ process: { pid } }) => pid ?? []);
  }

  async gradients(
    batches: readonly Feeds[],
    parameters: ReadonlyMap<string, TensorValue>,
    alpha: StepSettings['alpha'],
  ): Promise<readonly Gradients[]> {
    const { shapes } = this.#options;
    this.#parameters = flatOf(parameters, shapes);
    const answers = await Promise.all(batches.map((batch) => this.#ask(batch, alpha)));
    return answers.map(({ loss, gradients }) => ({ loss, gradients: viewsOf(gradients, shapes) }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    const helpers = [...this.#helpers];
    const left = [...this.#queue.splice(0), ...helpers.flatMap(({ job }) => job ?? [])];
    for (const job of left) job.reject(closed());
    await Promise.all(
      helpers.map(
        ({ process: child }) =>
          new Promise<void>((resolve) => {
            if (child.exitCode !== null || child.signalCode !== null) return resolve();
            child.once('exit', () => resolve());
            child.kill('SIGKILL');
          }),
      ),
    );
  }

  #ask(batch: Feeds, alpha: StepSettings['alpha']): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#isDead !== undefined) return reject(dead(this.#isDead));
      const task = { kind: 'gradients', batch, alpha } as const;
      this.#queue.push({ task, resolve, reject, deaths: 0 });
      this.#dispatch();
    });
  }

  #start(): void {
    const { program, arguments: own = [] } = this.#options;
    // Structured clones keep typed arrays as they are; events on stdout are the training's own.
    const child = fork(program, [...own], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const helper: Helper = { process: child, job: undefined, told: undefined };
    this.#helpers.add(helper);
    child.on('message', (reply) => this.#receive(helper, reply as ShardReply));
    child.on('error', (error) => this.#died(helper, error.message));
    child.on('exit', (code, signal) => this.#died(helper, signal ?? `exit code ${code}`));
  }

  #dispatch(): void {
    for (const helper of this.#helpers) {
      if (helper.job) continue;
      const job = this.#queue.shift();
      if (!job) return;
      helper.job = job;
      if (helper.told !== this.#parameters) {
        helper.told = this.#parameters;
        this.#send(helper, { kind: 'parameters', values: this.#parameters });
      }
      this.#send(helper, job.task);
    }
  }

  /** One that is gone tells so by its exit. */
  #send({ process: child }: Helper, task: ShardTask): void {
    child.send(task, () => {});
  }

  #receive(helper: Helper, reply: ShardReply): void {
    const { job } = helper;
    helper.job = undefined;
    this.#deaths = 0;
    if (reply.kind === 'done') job?.resolve(reply);
    else job?.reject(new TollamaError(reply.code as 'INTERNAL', reply.message));
    this.#dispatch();
  }

  /** Its batch goes to another one, and a new process takes its place. */
  #died(helper: Helper, reason: string): void {
    if (this.#isClosed || !this.#helpers.delete(helper)) return;
    const { job } = helper;
    const { report = silent } = this.#options;
    report('training.worker_died', 'warning', { reason });
    if (job && ++job.deaths >= MOST_DEATHS) {
      job.reject(
        new TollamaError('INTERNAL', `${job.deaths} processes died over one batch: ${reason}`, {
          hint: 'train with fewer --workers, or a smaller --batch',
        }),
      );
    } else if (job) this.#queue.unshift(job);
    // A program that cannot even start would be started for ever.
    if (++this.#deaths < MOST_DEATHS * this.#options.count) this.#start();
    else if (this.#helpers.size === 0) this.#giveUp(reason);
    this.#dispatch();
  }

  #giveUp(reason: string): void {
    this.#isDead = reason;
    for (const { reject } of this.#queue.splice(0)) reject(dead(reason));
  }
}
