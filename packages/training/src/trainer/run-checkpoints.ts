/** The checkpoints of a run: written beside training, at most one at a time. */
import { errorMessage } from '@tollama/core/errors';
import { findCheckpoint, haltFolder, type Pointer } from '../checkpoint/checkpoint-folder.ts';
import type { CheckpointThread } from '../checkpoint/checkpoint-thread.ts';
import type { CheckpointFile } from '../checkpoint/contents.ts';
import type { Retention } from '../checkpoint/retention.ts';
import type { Report } from '../contracts/metrics.ts';
import { type CapturedState, fromContents, toContents } from './captured-state.ts';
import type { TrainingRecord } from './training-record.ts';

export interface RunCheckpointsOptions {
  readonly folder: string;
  readonly retention: Retention;
  readonly files: readonly CheckpointFile[];
  readonly thread: CheckpointThread;
  readonly report: Report;
}

export class RunCheckpoints {
  readonly #options: RunCheckpointsOptions;
  #pending: Promise<void> = Promise.resolve();

  constructor(options: RunCheckpointsOptions) {
    this.#options = options;
  }

  /** Where the latest one lies. */
  readonly latest = (): Promise<string | undefined> =>
    findCheckpoint(this.#options.folder, 'latest');

  /** Reads the one that a pointer names; undefined when there is none. */
  async read(
    pointer: Pointer,
    parse: (text: string | undefined) => TrainingRecord,
  ): Promise<CapturedState | undefined> {
    const path = await findCheckpoint(this.#options.folder, pointer);
    if (path === undefined) return undefined;
    return fromContents(await this.#options.thread.read(path).result, parse);
  }

  /**
   * Copies the state and writes it on the thread. While an earlier one is being written a new one is skipped,
   * unless it must be kept.
   * @returns whether it is being written
   */
  async save(
    state: CapturedState,
    { pointers, isNeeded }: { readonly pointers: readonly Pointer[]; readonly isNeeded: boolean },
  ): Promise<boolean> {
    const { thread, report } = this.#options;
    if (thread.isWriting && !isNeeded) {
      report('tolaria.checkpoint.skipped', 'info', { reason: 'an earlier one is being written' });
      return false;
    }
    await this.#pending;
    this.#pending = this.#write(state, pointers);
    return true;
  }

  /** The last good state of a halt; waits until it is written. */
  async saveHalt(state: CapturedState): Promise<void> {
    await this.#pending;
    await this.#write(state, ['latest'], haltFolder(state.record.step));
  }

  /** Waits for what is being written. */
  settled(): Promise<void> {
    return this.#pending;
  }

  async #write(state: CapturedState, pointers: readonly Pointer[], name?: string): Promise<void> {
    const { thread, folder, retention, files, report } = this.#options;
    const contents = toContents(state, files);
    try {
      const task = { folder, contents, pointers, retention, ...(name !== undefined && { name }) };
      const written = await thread.write(task);
      const { sizeBytes } = written;
      report('tolaria.checkpoint.written', 'info', { name: written.name, bytes: sizeBytes });
    } catch (thrown) {
      // A full disk must not end a training that is otherwise well.
      report('tolaria.checkpoint.failed', 'critical', { message: errorMessage(thrown) });
    }
  }
}
