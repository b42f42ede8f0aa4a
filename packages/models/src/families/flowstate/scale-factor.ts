/** How FlowState stretches time: 24 / (steps of a season), so that every season looks like a day of hours. */
import { type Frequency, parseFrequency } from '@tollama/core/frequency';

/** Steps of a season at scale 1. */
export const BASE_SEASON = 24;

/** Domains whose days repeat by the week rather than by the year (granite-tsfm, `get_fixed_factor`). */
const WEEKLY_DOMAINS: readonly string[] = ['transport', 'healthcare', 'sales'];

const SECONDS_OF_HOUR = 3600;
const MINUTES_OF_DAY = 1440;
const DAYS_OF_YEAR = 365;

/** Steps of the season that a single step of the unit suggests; undefined where it suggests none. */
const seasonOf = ({ unit }: Frequency, isWeekly: boolean): number | undefined => {
  switch (unit) {
    case 'index':
      return undefined;
    case 'nanosecond':
      return SECONDS_OF_HOUR * 1e9;
    case 'microsecond':
      return SECONDS_OF_HOUR * 1e6;
    case 'millisecond':
      return SECONDS_OF_HOUR * 1e3;
    case 'second':
      return SECONDS_OF_HOUR;
    case 'minute':
      return MINUTES_OF_DAY;
    case 'hour':
    case 'businessHour':
    case 'semiMonth':
      return 24;
    case 'day':
      return isWeekly ? 7 : DAYS_OF_YEAR;
    case 'businessDay':
      return isWeekly ? 5 : 260;
    case 'week':
      return DAYS_OF_YEAR / 7;
    case 'month':
    case 'weekOfMonth':
      return 12;
    case 'quarter':
    // Years have no season; the reference takes them for quarters.
    case 'year':
      return 4;
  }
};

/**
 * The factor that granite-tsfm takes for a frequency (`get_fixed_factor`), undefined where an alias tells
 * none.
 *
 * @param freq pandas alias
 * @param domain what the series are about; transport, healthcare and sales repeat weekly
 * @throws TollamaError INVALID_REQUEST for an unknown alias
 * @example
 * scaleFactorOf('15min'); // 0.25
 */
export const scaleFactorOf = (freq: string, domain = ''): number | undefined => {
  const frequency = parseFrequency(freq);
  const season = seasonOf(frequency, WEEKLY_DOMAINS.includes(domain.toLowerCase()));
  if (season === undefined) return undefined;
  const { multiple, unit } = frequency;
  return (BASE_SEASON / season) * (unit === 'year' ? 1 : multiple);
};
