/** Real delays for real faults: of this thread, and of the thread that reads and hashes. */
import { CheckpointThread, type Reading } from '../checkpoint/checkpoint-thread.ts';

export const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));

/** Keeps this thread from doing anything else, as a long computation would. */
export const blockFor = (ms: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
};

/** A storage that answers late. */
export class StalledThread extends CheckpointThread {
  readonly #stallMs: number;

  constructor(stallMs: number) {
    super();
    this.#stallMs = stallMs;
  }

  override async hash(bytes: SharedArrayBuffer): Promise<string> {
    await sleep(this.#stallMs);
    return super.hash(bytes);
  }

  override read(path: string): Reading {
    const reading = super.read(path);
    const result = sleep(this.#stallMs).then(() => reading.result);
    // Told by whoever waits; an aborted reading has nobody.
    result.catch(() => {});
    return { ...reading, result };
  }
}

/** A memory that turns a bit over in each snapshot, after its hash was taken. */
export class CorruptingThread extends StalledThread {
  constructor(stallMs = 0) {
    super(stallMs);
  }

  override async hash(bytes: SharedArrayBuffer): Promise<string> {
    const sha256 = await super.hash(bytes);
    new Uint8Array(bytes)[0]! ^= 1;
    return sha256;
  }
}
