import { stat } from 'node:fs/promises';

/** When the daemon was last asked something; whatever is under way counts as now. */
export class Activity {
  #inFlight = 0;
  #lastMs = Date.now();

  begin(): void {
    this.#inFlight++;
  }

  end(): void {
    this.#inFlight--;
    this.#lastMs = Date.now();
  }

  get isBusy(): boolean {
    return this.#inFlight > 0;
  }

  get idleMs(): number {
    return this.isBusy ? 0 : Date.now() - this.#lastMs;
  }
}

/** Calls `stop` once the daemon was idle for `idleMs`. */
export const endWhenIdle = (activity: Activity, idleMs: number, stop: () => void): void => {
  const check = (): void => {
    const left = idleMs - activity.idleMs;
    if (left <= 0) stop();
    else setTimeout(check, left).unref();
  };
  setTimeout(check, idleMs).unref();
};

const LOOK_EVERY_MS = 5000;

/** Which file lies at a path; undefined: none. */
const fileAt = (path: string): Promise<string | undefined> =>
  stat(path).then(
    ({ ino, mtimeMs }) => `${ino} ${mtimeMs}`,
    () => undefined,
  );

/**
 * Calls `stop` when the file at `program` was taken away or replaced, once nobody waits for an answer: after an
 * uninstallation or an update nobody would end this daemon, and parts that it loads late are not there any more.
 */
export const endWhenReplaced = async (
  activity: Activity,
  program: string,
  stop: () => void,
  lookAt: typeof fileAt = fileAt,
): Promise<void> => {
  const own = await lookAt(program);
  const check = async (): Promise<void> => {
    if (activity.isBusy || (await lookAt(program)) === own) look();
    else stop();
  };
  const look = (): void => void setTimeout(() => void check(), LOOK_EVERY_MS).unref();
  look();
};
