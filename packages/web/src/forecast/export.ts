/** Results as files: the long frame that tools of the field read, or the answers as they came. */
import { levelKey } from './level-key.ts';
import { type Run, stepsOf } from './run.ts';

const cell = (value: string): string =>
  /[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;

const percent = (level: number): string => `q-${Number((level * 100).toPrecision(6))}`;

/** unique_id, ds, then for each model its mean and its quantiles: `auto`, `auto-q-10`, ... */
export const resultsCsv = ({ series, levels, results }: Run): string => {
  const done = results.flatMap(({ response }) => response ?? []);
  const header = [
    'unique_id',
    'ds',
    ...done.flatMap(({ model }) => [model, ...levels.map((level) => `${model}-${percent(level)}`)]),
  ];
  const lines = series.flatMap((history, place) => {
    const forecasts = done.map((response) => response.forecasts[place]!);
    const [first] = forecasts;
    if (!first) return [];
    return stepsOf(first, history).timestamps.map((timestamp, step) =>
      [
        cell(history.id),
        cell(timestamp),
        ...forecasts.flatMap(({ mean, quantiles }) => [
          mean[step],
          ...levels.map((level) => quantiles?.[levelKey(level)]?.[step] ?? ''),
        ]),
      ].join(','),
    );
  });
  return `${[header.map(cell).join(','), ...lines].join('\n')}\n`;
};

/** The daemon's answers, one for each model. */
export const resultsJson = ({ results }: Run): string =>
  `${JSON.stringify(
    results.flatMap(({ response }) => response ?? []),
    null,
    2,
  )}\n`;

/** Hands a text to the browser as a download. */
export const download = (name: string, type: string, text: string): void => {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
};
