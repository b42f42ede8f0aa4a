import type { Capabilities } from '@tollama/core/capabilities';
import type { Outcome, Task } from '@tollama/models/family';

/** A model that is ready: a checkpoint's, or one without weights. */
export interface ReadyModel extends AsyncDisposable {
  readonly family: string;
  readonly capabilities: Capabilities;
  readonly device: string;
  readonly precision: string;
  /** Weights in bytes. */
  readonly sizeBytes: number;
  readonly loadMs: number;
  /** A model of several runs throws the reason of the signal between them. */
  forecast(task: Task, signal?: AbortSignal): Promise<Outcome>;
}
