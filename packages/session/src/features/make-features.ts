/**
 * Features of a series: what the calendar says, waves of given periods, earlier values and their recent statistics.
 * Each value depends on points before its own only, so that a backtest sees nothing that was not known.
 */
import { futureTimestamps, parseFrequency } from '@tollama/core/frequency';
import type { CovariateRoles } from '../frame/covariates.ts';
import type { Panel, PanelSeries } from '../frame/panel.ts';
import type { CalendarFeature, FeatureConfig, RollingStatistic } from './feature-config.ts';

interface Feature {
  readonly name: string;
  /** Whether it is known over the horizon. */
  readonly isKnown: boolean;
  /** [length + h], or [length] of one that is observed only. */
  readonly values: readonly number[];
}

const DAY_MS = 86_400_000;

const CALENDAR: Readonly<Record<CalendarFeature, (date: Date) => number>> = {
  hour: (date) => date.getUTCHours(),
  day_of_week: (date) => (date.getUTCDay() + 6) % 7,
  day_of_month: (date) => date.getUTCDate(),
  day_of_year: (date) =>
    Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY_MS) + 1,
  month: (date) => date.getUTCMonth() + 1,
  quarter: (date) => Math.floor(date.getUTCMonth() / 3) + 1,
  is_weekend: (date) => Number(date.getUTCDay() % 6 === 0),
};

/** The wall clock of a timestamp; its zone says nothing of the hour that people see. */
const wallClock = (timestamp: string): Date =>
  new Date(
    `${timestamp.replace(' ', 'T').replace(/(?:Z|[+-]\d\d:?\d\d)$/, '')}${timestamp.length > 10 ? 'Z' : ''}`,
  );

const calendarFeatures = (
  { timestamps }: PanelSeries,
  { calendar_features }: FeatureConfig,
  future: readonly string[],
): Feature[] => {
  if (calendar_features.length === 0) return [];
  const dates = [...timestamps, ...future].map(wallClock);
  return calendar_features.map((feature) => ({
    name: `calendar_${feature}`,
    isKnown: true,
    values: dates.map(CALENDAR[feature]),
  }));
};

const fourierFeatures = (length: number, { fourier }: FeatureConfig): Feature[] =>
  fourier.flatMap(({ period, order }) =>
    Array.from({ length: order }, (_, i) => i + 1).flatMap((k) =>
      (['sin', 'cos'] as const).map((wave) => ({
        name: `fourier_${period}_${wave}_${k}`,
        isKnown: true,
        values: Array.from({ length }, (_, t) => Math[wave]((2 * Math.PI * k * t) / period)),
      })),
    ),
  );

const lagFeatures = ({ target }: PanelSeries, { lags }: FeatureConfig, h: number): Feature[] =>
  lags.map((lag) => {
    const isKnown = lag >= h;
    const length = target.length + (isKnown ? h : 0);
    return {
      name: `lag_${lag}`,
      isKnown,
      values: Array.from({ length }, (_, t) => target[t - lag] ?? Number.NaN),
    };
  });

const statisticOf = (window: readonly number[], statistic: RollingStatistic): number => {
  if (window.length === 0) return Number.NaN;
  const mean = window.reduce((sum, value) => sum + value, 0) / window.length;
  switch (statistic) {
    case 'mean':
      return mean;
    case 'std':
      return window.length < 2
        ? 0
        : Math.sqrt(window.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (window.length - 1));
    case 'min':
      return Math.min(...window);
    case 'max':
      return Math.max(...window);
  }
};

const rollingFeatures = ({ target }: PanelSeries, { rolling }: FeatureConfig): Feature[] =>
  rolling.flatMap(({ window, statistics }) =>
    statistics.map((statistic) => ({
      name: `rolling_${statistic}_${window}`,
      isKnown: false,
      values: Array.from(target, (_, t) => {
        const before = [...target.subarray(Math.max(0, t - window), t)];
        return statisticOf(
          before.filter((value) => !Number.isNaN(value)),
          statistic,
        );
      }),
    })),
  );

export interface WithFeatures {
  readonly panel: Panel;
  readonly roles: CovariateRoles;
  /** Names of the columns that were made. */
  readonly features: readonly string[];
}

const addTo = (one: PanelSeries, features: readonly Feature[]): PanelSeries => {
  const length = one.target.length;
  const past = features.map(({ name, values }) => [name, values.slice(0, length)]);
  const future = features
    .filter(({ isKnown }) => isKnown)
    .map(({ name, values }) => [name, values.slice(length)]);
  return {
    ...one,
    past: { ...one.past, ...Object.fromEntries(past) },
    future: { ...one.future, ...Object.fromEntries(future) },
  };
};

/**
 * Adds the configured features to every series, as covariates. A column of the data with the same name stays as it is.
 *
 * @throws TollamaError INVALID_REQUEST for timestamps that have no calendar
 */
export const makeFeatures = (
  panel: Panel,
  roles: CovariateRoles,
  config: FeatureConfig,
  h: number,
): WithFeatures => {
  const taken = new Set([...roles.past, ...roles.futureKnown, ...roles.statics]);
  const all = panel.series.map((one) => {
    const needsCalendar = config.calendar_features.length > 0;
    const future = needsCalendar
      ? futureTimestamps(one.timestamps.at(-1)!, parseFrequency(panel.freq), h)
      : [];
    return [
      ...calendarFeatures(one, config, future),
      ...fourierFeatures(one.target.length + h, config),
      ...lagFeatures(one, config, h),
      ...rollingFeatures(one, config),
    ].filter(({ name }) => !taken.has(name));
  });
  const made = all[0] ?? [];
  const names = (isKnown: boolean): string[] =>
    made.filter((feature) => feature.isKnown === isKnown).map(({ name }) => name);
  return {
    panel: { ...panel, series: panel.series.map((one, i) => addTo(one, all[i]!)) },
    roles: {
      ...roles,
      past: [...roles.past, ...names(false)],
      futureKnown: [...roles.futureKnown, ...names(true)],
    },
    features: made.map(({ name }) => name),
  };
};
