/** Writing and reading of checkpoints beside training, in a worker thread. */
import { Worker } from 'node:worker_threads';
import { type ErrorCode, TollamaError } from '@tollama/core/errors';
import { buffersOf, type ReadContents } from './contents.ts';
import type { WriteCheckpointTask, WrittenCheckpoint } from './write-checkpoint.ts';

export type CheckpointTask =
  | { readonly id: number; readonly kind: 'write'; readonly task: WriteCheckpointTask }
  | {
      readonly id: number;
      readonly kind: 'read';
      readonly path: string;
      /** One int32: not 0 once the caller no longer wants it. */
      readonly abort: SharedArrayBuffer;
    }
  | { readonly id: number; readonly kind: 'hash'; readonly bytes: SharedArrayBuffer };

export interface CheckpointReply {
  readonly id: number;
  readonly written?: WrittenCheckpoint;
  readonly read?: ReadContents;
  readonly sha256?: string;
  readonly error?: { readonly code: ErrorCode; readonly message: string };
}

interface Waiting {
  readonly resolve: (reply: CheckpointReply) => void;
  readonly reject: (error: TollamaError) => void;
}

export interface Reading {
  readonly result: Promise<ReadContents>;
  /** Ends the reading at its next part; the result rejects with INTERRUPTED. */
  readonly abort: () => void;
}

export class CheckpointThread implements AsyncDisposable {
  readonly #worker = new Worker(new URL('./checkpoint-worker.ts', import.meta.url));
  readonly #waiting = new Map<number, Waiting>();
  readonly #asked = new Set<Promise<CheckpointReply>>();
  #next = 0;
  #writing = 0;

  constructor() {
    this.#worker.on('message', (reply: CheckpointReply) => this.#receive(reply));
    this.#worker.on('error', (cause) => this.#fail('a checkpoint thread failed', cause));
    this.#worker.on('exit', () => this.#fail('the checkpoint thread has ended'));
    this.#worker.unref();
  }

  /** Whether a write is under way: a trainer then skips one rather than wait. */
  get isWriting(): boolean {
    return this.#writing > 0;
  }

  /** Hands the tensors over: the caller's arrays are empty afterwards. */
  async write(task: WriteCheckpointTask): Promise<WrittenCheckpoint> {
    this.#writing++;
    try {
      const id = ++this.#next;
      return (await this.#ask({ id, kind: 'write', task }, buffersOf(task.contents))).written!;
    } finally {
      this.#writing--;
    }
  }

  read(path: string): Reading {
    const abort = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    const result = this.#ask({ id: ++this.#next, kind: 'read', path, abort }, []).then(
      ({ read }) => read!,
    );
    return { result, abort: () => void Atomics.store(new Int32Array(abort), 0, 1) };
  }

  /** sha256 of shared memory, which must not change meanwhile. */
  async hash(bytes: SharedArrayBuffer): Promise<string> {
    return (await this.#ask({ id: ++this.#next, kind: 'hash', bytes }, [])).sha256!;
  }

  #ask(task: CheckpointTask, transfer: readonly ArrayBuffer[]): Promise<CheckpointReply> {
    const asked = new Promise<CheckpointReply>((resolve, reject) => {
      this.#waiting.set(task.id, { resolve, reject });
      // While something is asked, the process must not end.
      this.#worker.ref();
      this.#worker.postMessage(task, [...transfer]);
    });
    this.#asked.add(asked);
    const done = (): void => void this.#asked.delete(asked);
    asked.then(done, done);
    return asked;
  }

  #receive(reply: CheckpointReply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (this.#waiting.size === 0) this.#worker.unref();
    if (reply.error) waiting?.reject(new TollamaError(reply.error.code, reply.error.message));
    else waiting?.resolve(reply);
  }

  #fail(message: string, cause?: unknown): void {
    for (const { reject } of this.#waiting.values()) {
      reject(new TollamaError('INTERNAL', message, { cause }));
    }
    this.#waiting.clear();
  }

  /** Waits for what is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#asked);
    await this.#worker.terminate();
  }
}
