/** How far a run is, told while it runs. */
import { createPace } from './pace.ts';
import type { PartWriter } from './part-writer.ts';
import { type RunPaths, type RunProgress, writeWhole } from './run-folder.ts';

const PROGRESS_MS = 1000;

export interface ReporterOptions {
  readonly onProgress?: ((progress: RunProgress) => void) | undefined;
  /** Memory of the workers, in bytes. */
  readonly workers: () => number;
}

/** Tells how far the run is: every second, whether or not something came back, and at the end. */
export const startReporter = async (
  paths: RunPaths,
  writer: PartWriter,
  options: ReporterOptions,
) => {
  const pace = createPace();
  let writing: Promise<void> = Promise.resolve();
  const write = async (isLast: boolean): Promise<void> => {
    const now = Date.now();
    const { series, failed } = writer.counts;
    pace.at(now, series);
    const total = Math.max(series, writer.state.plan.series);
    const progress: RunProgress = {
      ...{ series, failed, total },
      seriesPerSecond: pace.seriesPerSecond,
      etaMs: isLast ? 0 : pace.etaMs(total - series),
      memoryBytes: process.resourceUsage().maxRSS * 1024 + options.workers(),
      updatedAt: new Date(now).toISOString(),
    };
    await writeWhole(paths.progress, `${JSON.stringify(progress)}\n`);
    options.onProgress?.(progress);
  };
  // What comes after a failed write reports the same: a full disk ends the run where it writes a part.
  const report = (isLast = false): Promise<void> => {
    writing = writing.catch(() => undefined).then(() => write(isLast));
    return writing;
  };
  await report();
  const timer = setInterval(() => void report().catch(() => undefined), PROGRESS_MS);
  return {
    last: () => report(true),
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await writing.catch(() => undefined);
    },
  };
};
