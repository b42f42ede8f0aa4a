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

  get idleMs(): number {
    return this.#inFlight > 0 ? 0 : Date.now() - this.#lastMs;
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
