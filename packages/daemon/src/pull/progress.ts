/** The stream of a pull, as clients know it (daemon contract, section 4). */

export type PullEvent =
  | { readonly status: 'pulling manifest' }
  | { readonly status: 'resolving digest'; readonly digest: string }
  | { readonly status: 'warning'; readonly message: string }
  | { readonly status: 'already present'; readonly model: string }
  | {
      readonly status: 'downloading';
      readonly completed_bytes: number;
      readonly total_bytes: number;
      readonly files_completed: number;
      readonly files_total: number;
    }
  | {
      readonly status: 'success';
      readonly model: string;
      readonly digest: string;
      readonly size: number;
    };

export type EmitPullEvent = (event: PullEvent) => void;

const MIN_INTERVAL_MS = 200;
const MIN_BYTES = 1024 * 1024;

/** Counts bytes and files, and tells of them now and then. */
export class PullProgress {
  readonly #emit: EmitPullEvent;
  #completed = 0;
  #total = 0;
  #filesCompleted = 0;
  #filesTotal = 0;
  #toldAt = Number.NEGATIVE_INFINITY;
  #toldBytes = 0;

  constructor(emit: EmitPullEvent) {
    this.#emit = emit;
  }

  resolved(digest: string): void {
    this.#emit({ status: 'resolving digest', digest });
  }

  warn(message: string): void {
    this.#emit({ status: 'warning', message });
  }

  start(files: readonly { readonly sizeBytes: number | undefined }[]): void {
    this.#filesTotal = files.length;
    this.#total = files.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0);
  }

  add(bytes: number): void {
    this.#completed += bytes;
    const now = performance.now();
    const isDue =
      now - this.#toldAt >= MIN_INTERVAL_MS || this.#completed - this.#toldBytes >= MIN_BYTES;
    if (bytes > 0 && isDue) this.#tell(now);
  }

  fileDone(): void {
    this.#filesCompleted++;
    this.#tell(performance.now());
  }

  #tell(now: number): void {
    this.#toldAt = now;
    this.#toldBytes = this.#completed;
    this.#emit({
      status: 'downloading',
      completed_bytes: this.#completed,
      total_bytes: Math.max(this.#total, this.#completed),
      files_completed: this.#filesCompleted,
      files_total: this.#filesTotal,
    });
  }
}
