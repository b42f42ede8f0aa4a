import { stat } from 'node:fs/promises';

const stampOf = (path: string): Promise<string> =>
  stat(path).then(
    ({ mtimeMs, size, ino }) => `${mtimeMs} ${size} ${ino}`,
    () => 'missing',
  );

/**
 * Calls back when one of the files was changed, replaced, removed or made. Files are looked at, not listened
 * to: that works on every file system, and a renamed replacement is no other case.
 */
export class FileWatch implements Disposable {
  readonly #paths: readonly string[];
  readonly #onChange: () => Promise<void>;
  readonly #timer: NodeJS.Timeout;
  #stamps: string | undefined;
  #isLooking = false;

  constructor(paths: readonly string[], everyMs: number, onChange: () => Promise<void>) {
    this.#paths = paths;
    this.#onChange = onChange;
    this.#timer = setInterval(() => void this.look(), everyMs).unref();
    void this.look();
  }

  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const stamps = (await Promise.all(this.#paths.map(stampOf))).join('\n');
      const hasChanged = this.#stamps !== undefined && stamps !== this.#stamps;
      this.#stamps = stamps;
      if (hasChanged) await this.#onChange();
    } finally {
      this.#isLooking = false;
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
