import type { Capabilities } from '@tollama/core/capabilities';
import type { ModelSeries, Outcome, Task } from './family.ts';

/**
 * Gives a family what it can take: the variates of a series together if it models them, else each as
 * a series of its own, whose forecasts are put together again.
 */
export const forecastVariates = async (
  capabilities: Capabilities,
  task: Task,
  forecast: (task: Task) => Promise<Outcome>,
): Promise<Outcome> => {
  if (capabilities.multivariate || task.series.every((series) => series.targets.length === 1)) {
    return forecast(task);
  }
  const rows = task.series.flatMap((series): ModelSeries[] =>
    series.targets.map((target) => ({ ...series, targets: [target] })),
  );
  const { forecasts, warnings } = await forecast({ ...task, series: rows });
  let next = 0;
  const joined = task.series.map((series) => {
    const parts = forecasts.slice(next, next + series.targets.length);
    next += series.targets.length;
    return { ...parts[0], targets: parts.flatMap((part) => part.targets) };
  });
  return { forecasts: joined, warnings };
};
