/** How fast a run goes, and when it will be done. */

const SAMPLES = 30;

export interface Pace {
  /** Takes a sample. */
  at(timeMs: number, series: number): void;
  readonly seriesPerSecond: number;
  /** Milliseconds that the rest takes; null until two samples differ. */
  etaMs(left: number): number | null;
}

/** Over the latest samples, so that a run that goes on does not boast with what an earlier one did. */
export const createPace = (): Pace => {
  const samples: (readonly [timeMs: number, series: number])[] = [];
  const rate = (): number => {
    const [first, last] = [samples[0], samples.at(-1)];
    if (!first || !last || last[0] <= first[0]) return 0;
    return ((last[1] - first[1]) / (last[0] - first[0])) * 1000;
  };
  return {
    at(timeMs, series) {
      samples.push([timeMs, series]);
      if (samples.length > SAMPLES) samples.shift();
    },
    get seriesPerSecond() {
      return rate();
    },
    etaMs(left) {
      const seriesPerSecond = rate();
      return seriesPerSecond > 0 ? (Math.max(0, left) / seriesPerSecond) * 1000 : null;
    },
  };
};
